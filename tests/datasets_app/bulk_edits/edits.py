"""Bulk edits done at once, for tests."""

from typing import Any

from datasets_app.models import BulkEdit, BulkKind, Dataset
from datasets_app.services import bulk_edits
from datasets_app.services.selection import Selection


def edit_of(
    dataset: Dataset,
    kind: BulkKind,
    *,
    by: Any = None,
    selection: Selection | None = None,
    **params: Any,
) -> BulkEdit:
    edit = bulk_edits.start_edit(
        dataset=dataset, kind=kind, by=by, selection=selection, params=params
    )
    bulk_edits.run_edit(edit)
    edit.refresh_from_db()
    return edit


def undo(edit: BulkEdit, *, by: Any = None) -> BulkEdit:
    edit.refresh_from_db()
    undone = bulk_edits.undo_edit(edit, by=by)
    bulk_edits.run_edit(undone)
    undone.refresh_from_db()
    return undone
