from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app import services
from jobs_app.leftover_admin import look_for_leftovers
from jobs_app.models import Provider
from jobs_app.provider_forms import ProviderForm
from jobs_app.providers import profile_of
from teams_app.access import has_role_anywhere
from teams_app.models import Role
from teams_app.scoped_admin import AuditedMixin, TeamScopedAdmin


@admin.register(Provider)
class ProviderAdmin(AuditedMixin, TeamScopedAdmin):
    """For owners. The key goes in and never comes out."""

    form = ProviderForm
    change_form_template = "admin/jobs_app/provider/change_form.html"
    list_display = ("name", "team", "kind", "base_url", "key", "checked_at")
    list_filter = ("team", "kind")
    search_fields = ("name", "base_url")
    add_role = change_role = delete_role = Role.OWNER
    actions = (look_for_leftovers,)

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.LAUNCHER)

    class Media:
        js = ("provider-form.js",)

    @admin.display(description=gettext_lazy("API key"))
    def key(self, provider: Provider) -> str:
        return _("stored") if provider.has_key else _("missing")

    def view_on_site(self, provider: Provider) -> str:
        return reverse("providers:detail", args=[provider.pk])

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        names = ProviderForm.Meta.fields
        if obj is not None and not self.has_change_permission(request, obj):
            return (*names, "key")
        return (*names, "new_api_key")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Provider | None = None
    ) -> Any:
        if obj is None:
            return ()
        if profile_of(obj).is_own_server:  # its address is the site's own
            return ("team", "kind", "base_url", "api_version", "extra_body", "key")
        return ("team", "key")

    def save_model(
        self, request: HttpRequest, obj: Provider, form: Any, change: bool
    ) -> None:
        new_key = form.cleaned_data.get("new_api_key", "")
        if services.save_provider(obj, by=request.user, new_key=new_key):
            self.message_user(
                request,
                _(
                    "The base URL changed, so the stored key was removed: it is not "
                    "sent to another address. Enter the key for the new one."
                ),
                messages.WARNING,
            )
