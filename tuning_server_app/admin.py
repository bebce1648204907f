"""The operator's view of the tuning server: for superusers, and to look at mostly."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tuning_server_app import (
    services,
    tasks,
    webhook_admin,  # noqa: F401  (registers the webhooks)
)
from tuning_server_app.errors import ApiError
from tuning_server_app.models import ApiKey, Organization, TuningJob
from tuning_server_app.operator_admin import OperatorAdmin, ShowsSecretOnce
from tuning_server_app.services import jobs, keys


@admin.register(Organization)
class OrganizationAdmin(OperatorAdmin):
    """Whoever owns keys, files, jobs and models; a team of the site has its own."""

    fields = ("slug",)
    list_display = ("slug", "created_at", "n_valid_keys")
    search_fields = ("slug",)
    has_add_permission = OperatorAdmin.has_view_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        valid = Count("apikey", filter=Q(apikey__revoked_at=None))
        return super().get_queryset(request).annotate(n_valid_keys=valid)

    @admin.display(description=_("valid keys"), ordering="n_valid_keys")
    def n_valid_keys(self, row: Any) -> int:
        return int(row.n_valid_keys)


class KeyForm(forms.ModelForm):
    class Meta:
        model = ApiKey
        fields = ("organization", "name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "organization" in cleaned:
            key = ApiKey(**cleaned)
            if keys.is_name_taken(key):
                raise ValidationError(str(keys.name_taken(key)))
        return cleaned


@admin.register(ApiKey)
class ApiKeyAdmin(ShowsSecretOnce, OperatorAdmin):
    """A new key is shown in the answer to its form, and never again."""

    form = KeyForm
    list_display = (
        "name",
        "organization",
        "prefix",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name", "prefix")
    actions = ("revoke",)
    advice = _(
        "Programs send it as the header “Authorization: Bearer …”; the openai package"
        " takes it as api_key."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return KeyForm.Meta.fields if obj is None else self.list_display

    def store(self, row: ApiKey) -> str:
        return keys.issue_key(row)

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
            else:
                tasks.ring_webhooks(job)
