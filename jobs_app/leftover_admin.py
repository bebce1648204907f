"""The admin's list of files that nobody needs any more, and how they go."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app import services, tasks
from jobs_app.models import LeftoverFile, Provider
from teams_app.access import has_role_anywhere
from teams_app.models import Role
from teams_app.scoped_admin import TeamScopedAdmin


@admin.register(LeftoverFile)
class LeftoverFileAdmin(TeamScopedAdmin):
    """For launchers. The action “Look for leftover files” of a provider fills it."""

    view_role = Role.LAUNCHER
    list_display = (
        "name",
        "provider",
        "n_bytes",
        "uploaded_at",
        "reason",
        "state",
        "seen_at",
    )
    list_filter = ("provider", "reason")
    list_select_related = ("provider",)
    search_fields = ("name", "remote_id")
    actions = ("delete_there",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # that would only forget the row; the file would stay there

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.LAUNCHER)

    @admin.display(description=gettext_lazy("deletion"))
    def state(self, file: LeftoverFile) -> str:
        if file.problem:
            return file.problem
        return _("under way") if file.delete_requested_at else ""

    @admin.action(
        description=gettext_lazy("Delete the selected files at their provider"),
        permissions=["launch"],
    )
    def delete_there(
        self, request: HttpRequest, queryset: QuerySet[LeftoverFile]
    ) -> None:
        mine = queryset.visible_to(request.user, Role.LAUNCHER)  # type: ignore[attr-defined]
        providers = set(mine.values_list("provider", flat=True))
        n_files = services.request_deletion(mine, by=request.user)  # type: ignore[arg-type]
        for provider_id in providers:
            tasks.delete_leftovers.delay_on_commit(provider_id)
        text = _("A worker deletes them now: %(n)d. A job that needs one keeps it.")
        self.message_user(request, text % {"n": n_files}, messages.SUCCESS)


@admin.action(
    description=gettext_lazy("Look for leftover files at the selected providers"),
    permissions=["launch"],
)
def look_for_leftovers(
    modeladmin: Any, request: HttpRequest, queryset: QuerySet[Provider]
) -> None:
    mine = queryset.visible_to(request.user, Role.LAUNCHER)  # type: ignore[attr-defined]
    for provider in mine:
        tasks.look_for_leftovers.delay_on_commit(provider.pk)
    text = _("A worker looks now; what it finds stands under Leftover files.")
    modeladmin.message_user(request, text, messages.SUCCESS)
