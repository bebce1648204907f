from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from datasets_app.admin.example_actions import ExampleActions
from datasets_app.admin.example_page import ExamplePage
from datasets_app.admin.filters import DatasetFilter, ProblemFilter, TagFilter
from datasets_app.chat_format import preview
from datasets_app.models import BulkKind, Example
from datasets_app.services import bulk_edits
from datasets_app.services.selection import Selection
from teams_app.models import Role

PREVIEW_LENGTH = 80


@admin.register(Example)
class ExampleAdmin(ExampleActions, ExamplePage):
    """Reading, mending and reviewing conversations."""

    actions = (
        "approve",
        "reject",
        "move_to_training",
        "move_to_validation",
        "tag",
        "untag",
        "delete_to_bin",
    )
    delete_role = Role.CURATOR  # to the bin; only an owner empties that
    list_display = (
        "question",
        "answer",
        "state_shown",
        "split",
        "dataset",
        "tags_shown",
        "n_tokens",
        "problems_counted",
    )
    list_filter = (DatasetFilter, "state", "split", TagFilter, ProblemFilter)
    search_fields = ("text",)
    list_select_related = ("dataset",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("dataset_id", "position", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Example]:
        return super().get_queryset(request).defer("text").prefetch_related("tags")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's own deletion, which would be for good."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes to the bin is the row alone; all that belongs to it waits."""
        return [str(obj) for obj in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Example) -> None:
        edit = bulk_edits.start_edit(
            dataset=obj.dataset,
            kind=BulkKind.DELETE,
            by=request.user,
            selection=Selection(pks=(obj.pk,)),
        )
        bulk_edits.run_edit(edit)

    @admin.display(description=_("first question"))
    def question(self, obj: Example) -> str:
        asked = preview(obj.messages, "user") or f"#{obj.position}"
        return Truncator(asked).chars(PREVIEW_LENGTH)

    @admin.display(description=_("last answer"))
    def answer(self, obj: Example) -> str:
        said = preview(obj.messages, "assistant", last=True)
        return Truncator(said).chars(PREVIEW_LENGTH)

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, obj: Example) -> SafeString:
        context = {"state": obj.state, "label": obj.get_state_display()}
        return render_to_string("components/_state.html", context)

    @admin.display(description=_("tags"))
    def tags_shown(self, obj: Example) -> str:
        return ", ".join(str(tag) for tag in obj.tags.all())

    @admin.display(description=_("problems"), ordering="is_valid")
    def problems_counted(self, obj: Example) -> str:
        return str(len(obj.problems)) if obj.problems else ""
