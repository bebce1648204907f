from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams_app import (
    admin_filters,  # noqa: F401  (registers the list filter)
    audit,
    services,
)
from teams_app.membership_forms import MembershipForm, MembershipFormSet
from teams_app.models import Membership, Role, Team, User, Verb
from teams_app.scoped_admin import (
    AuditedMixin,
    TeamScopedAdmin,
    TeamScopedTabularInline,
    changed_fields,
)

# Rights come from roles alone; a group would be one that does nothing.
admin.site.unregister(Group)


@admin.register(User)
class TeamUserAdmin(UserAdmin):
    """For superusers: nobody else holds the Django permissions it asks for."""

    list_display = ("username", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            gettext_lazy("Personal info"),
            {"fields": ("first_name", "last_name", "email")},
        ),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_superuser")}),
        (gettext_lazy("Important dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._tell(Verb.CREATED, obj, request)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._tell(Verb.CHANGED, obj, request, fields=changed_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for user in queryset:
            self._tell(Verb.DELETED, user, request)
        return super().log_deletions(request, queryset)

    def _tell(
        self, verb: Verb, user: User, request: HttpRequest, **details: Any
    ) -> None:
        audit.record_of_user(verb, user, user=user, by=request.user, **details)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        users = list(objs)
        to_delete, counts, needed, protected = super().get_deleted_objects(
            users, request
        )
        protected += [
            _("the team “%(team)s”, which would have no owner left") % {"team": team}
            for team in Team.objects.owned_only_by(users)
        ]
        return to_delete, counts, needed, protected


class MembershipInline(TeamScopedTabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("username", "role")
    extra = 1
    add_role = change_role = delete_role = Role.OWNER

    @admin.display(description=gettext_lazy("username"))
    def username(self, membership: Membership) -> str:
        """What those see who may not edit."""
        return membership.user.get_username()


@admin.register(Team)
class TeamAdmin(AuditedMixin, TeamScopedAdmin):
    """Owners manage the members of their team; only a superuser makes new teams."""

    list_display = ("name", "slug", "created_at")
    prepopulated_fields = {"slug": ("name",)}
    inlines = [MembershipInline]
    change_role = Role.OWNER

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Commands and scripts name the team by its slug, so it stays."""
        return ("slug",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Team, form: Any, change: bool
    ) -> None:
        if change:
            services.save_team(obj, by=request.user)
        else:
            super().save_model(request, obj, form, change)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """In the admin's own log alone: the service and the formset wrote in ours."""
        return super(AuditedMixin, self).log_change(request, obj, message)

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        before = dict(formset.queryset.values_list("pk", "role")) if change else {}
        for leaving in formset.deleted_forms:
            if leaving.instance.pk:  # it has none any more once it is deleted
                role = before[leaving.instance.pk]
                _tell(Verb.REMOVED, leaving.instance, request, role=role)
        super().save_formset(request, form, formset, change)
        for member in formset.new_objects:
            _tell(Verb.ADDED, member, request, role=member.role)
        for member, _fields in formset.changed_objects:
            roles = [before[member.pk], member.role]
            _tell(Verb.ROLE_CHANGED, member, request, role=roles)


def _tell(verb: Verb, member: Membership, request: HttpRequest, **details: Any) -> None:
    name = member.user.get_username()
    audit.record(verb, member, by=request.user, label=name, **details)
