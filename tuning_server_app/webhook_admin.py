"""In the admin: who hears how jobs end, and what did not get through."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tuning_server_app import tasks
from tuning_server_app.models import Webhook, WebhookDelivery
from tuning_server_app.operator_admin import OperatorAdmin, ShowsSecretOnce
from tuning_server_app.services import webhooks


class WebhookForm(forms.ModelForm):
    class Meta:
        model = Webhook
        fields = ("organization", "name", "url")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            webhooks.check_url(url)
        except webhooks.RefusedUrl as error:
            raise ValidationError(str(error)) from error
        return url


@admin.register(Webhook)
class WebhookAdmin(ShowsSecretOnce, OperatorAdmin):
    """Its secret is shown in the answer to its form, and never again."""

    form = WebhookForm
    list_display = ("name", "organization", "url", "created_at", "problem")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name",)
    actions = ("switch_on",)
    has_delete_permission = OperatorAdmin.has_view_permission
    advice = _(
        "The receiver checks with it that a message is from this server: it is signed"
        " as the Standard Webhooks specification says. The openai package takes it as"
        " webhook_secret."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return WebhookForm.Meta.fields if obj is None else self.list_display

    def store(self, row: Webhook) -> str:
        return webhooks.add_webhook(row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A webhook's deliveries go with it, though none can be deleted singly."""
        to_delete, counts, _needed, protected = super().get_deleted_objects(
            objs, request
        )
        return to_delete, counts, set(), protected

    @admin.action(description=_("Switch on again"), permissions=["view"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            webhooks.switch_on(webhook)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OperatorAdmin):
    list_display = (
        "message_id",
        "webhook",
        "job",
        "event_type",
        "state",
        "n_attempts",
        "next_try_at",
        "problem",
        "created_at",
        "sent_at",
    )
    fields = list_display
    list_filter = ("state", "event_type", "webhook__organization")
    list_select_related = ("webhook", "job")
    search_fields = ("message_id", "event_id", "job__wire_id")
    actions = ("try_again",)

    @admin.action(description=_("Try again from the start"), permissions=["view"])
    def try_again(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> None:
        for delivery in queryset:
            webhooks.try_again(delivery)
            tasks.deliver_webhook.delay_on_commit(delivery.pk)
