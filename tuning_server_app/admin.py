"""The operator's view of the tuning server: for superusers, and to look at mostly."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tuning_server_app import services
from tuning_server_app.errors import ApiError
from tuning_server_app.models import ApiKey, TuningJob
from tuning_server_app.services import jobs


class OperatorAdmin(admin.ModelAdmin):
    """Rows that only services change: no form adds, edits or deletes them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _is_operator(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


@admin.register(ApiKey)
class ApiKeyAdmin(OperatorAdmin):
    fields = (
        "name",
        "organization",
        "prefix",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    list_display = fields
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name", "prefix")
    actions = ("revoke",)

    @admin.action(description=_("Revoke selected keys"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        valid = queryset.filter(revoked_at=None).select_related("organization")
        n_revoked = 0
        for key in valid:
            services.revoke_key(key.name, key.organization.slug)
            n_revoked += 1
        self.message_user(
            request,
            ngettext("%(n)s key revoked.", "%(n)s keys revoked.", n_revoked)
            % {"n": n_revoked},
        )


@admin.register(TuningJob)
class TuningJobAdmin(OperatorAdmin):
    fields = (
        "wire_id",
        "organization",
        "status",
        "model",
        "fine_tuned_model",
        "error",
        "attempts",
        "created_at",
        "started_at",
        "finished_at",
    )
    list_display = (
        "wire_id",
        "organization",
        "status",
        "model",
        "attempts",
        "created_at",
        "finished_at",
    )
    list_filter = ("status", "organization")
    list_select_related = ("organization",)
    search_fields = ("wire_id", "fine_tuned_model")
    actions = ("cancel",)

    @admin.action(description=_("Cancel selected jobs"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[TuningJob]) -> None:
        for job in queryset:
            try:
                jobs.cancel_job(job)
            except ApiError as error:
                self.message_user(request, error.message, messages.ERROR)
