from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from datasets_app.admin.example_list import ExampleList
from datasets_app.admin.example_page import ExamplePage
from datasets_app.models import BulkKind, Example
from datasets_app.services import bulk_edits
from datasets_app.services.selection import Selection
from teams_app.models import Role


@admin.register(Example)
class ExampleAdmin(ExampleList, ExamplePage):
    """Finding, reading, mending and reviewing conversations."""

    actions = None  # the list has bulk edits of its own
    delete_role = Role.CURATOR  # to the bin; only an owner empties that
    show_full_result_count = False
    ordering = ("dataset_id", "position", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Example]:
        return super().get_queryset(request).defer("text").prefetch_related("tags")

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
