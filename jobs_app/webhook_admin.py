"""In the admin: the address at which a provider may call us, and its secret."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.models import WebhookDoor
from teams_app.models import Role
from teams_app.scoped_admin import AuditedMixin, TeamScopedAdmin


class WebhookDoorForm(forms.ModelForm):
    """The stored secret is never a value of this form, so no page can show it."""

    new_secret = forms.CharField(
        label=gettext_lazy("Signing secret"),
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password"}
        ),
    )

    class Meta:
        model = WebhookDoor
        fields = ("provider",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_secret"].help_text = (
            _("A secret is stored and is shown nowhere. Leave this empty to keep it.")
            if self.instance.has_secret
            else _("The provider shows it once, when you register the address there.")
        )

    def clean_new_secret(self) -> str:
        secret = self.cleaned_data["new_secret"]
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ValidationError(
                _("A secret has only ASCII letters, digits and signs; copy it again.")
            )
        return secret

    def save(self, commit: bool = True) -> WebhookDoor:
        if secret := self.cleaned_data["new_secret"]:
            self.instance.secret = secret
        return super().save(commit)


@admin.register(WebhookDoor)
class WebhookDoorAdmin(AuditedMixin, TeamScopedAdmin):
    """For owners, and optional: the polls learn the same, only later."""

    form = WebhookDoorForm
    list_display = ("provider", "address", "secret_state")
    add_role = change_role = view_role = Role.OWNER

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("provider", "address", "new_secret")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("address",) if obj is None else ("provider", "address")

    @admin.display(description=gettext_lazy("Signing secret"))
    def secret_state(self, door: WebhookDoor) -> str:
        return _("stored") if door.has_secret else _("missing")

    @admin.display(description=gettext_lazy("Address to register at the provider"))
    def address(self, door: WebhookDoor) -> str:
        if door._state.adding:
            return _("Save first; the address is shown then.")
        site = settings.SITE_URL or f"http://127.0.0.1:{settings.SITE_PORT}"
        return site.rstrip("/") + reverse("provider_webhook", args=[door.token])
