from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app import services
from datasets_app.models import BaseModel
from teams_app.models import Role
from teams_app.scoped_admin import AuditedMixin, TeamScopedAdmin


@admin.register(BaseModel)
class BaseModelAdmin(AuditedMixin, TeamScopedAdmin):
    """What a team knows of the models it trains: theirs to correct and to extend.

    After an edit the tick finds the datasets that are to be counted anew. For owners:
    by a shorter context a launch would seem to cost less, and stay below a limit.
    """

    list_display = (
        "name",
        "team",
        "encoding",
        "training_context_tokens",
        "counts",
        "source",
        "as_of",
    )
    list_filter = ("team", "encoding")
    list_select_related = ("team",)
    search_fields = ("name", "source")
    fields = (
        "team",
        "name",
        "encoding",
        "training_context_tokens",
        "source",
        "as_of",
    )
    add_role = change_role = delete_role = Role.OWNER

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("team",) if obj else ()

    @admin.display(description=_("token counts"))
    def counts(self, obj: BaseModel) -> str:
        if services.has_tokenizer(obj):
            return gettext("exact")
        return gettext("estimated: its tokenizer is not on this server")
