from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from jobs_app.models import Price
from jobs_app.retold import retold
from teams_app.models import Role
from teams_app.scoped_admin import AuditedMixin, TeamScopedAdmin


@admin.register(Price)
class PriceAdmin(AuditedMixin, TeamScopedAdmin):
    """The price book: a new price is a new row, so that the old ones stay known.

    For owners, who set the limits: by a price of 0 a launcher would go round them.
    """

    list_display = (
        "base_model",
        "provider_kind",
        "provider",
        "usd_per_million_tokens",
        "usd_per_million_input",
        "usd_per_million_cached_input",
        "usd_per_million_output",
        "as_of",
        "told_source",
    )
    list_filter = ("team", "provider_kind")
    list_select_related = ("provider", "team")
    search_fields = ("base_model", "source", "note")
    fields = (
        "team",
        "base_model",
        "provider_kind",
        "provider",
        "usd_per_million_tokens",
        "usd_per_million_input",
        "usd_per_million_cached_input",
        "usd_per_million_output",
        "as_of",
        "source",
        "note",
    )
    add_role = change_role = delete_role = Role.OWNER

    @admin.display(description=_("source"), ordering="source")
    def told_source(self, price: Price) -> str:
        return retold(price.source)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("team",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"as_of": localdate(), **super().get_changeform_initial_data(request)}
