"""Undoing an import as one step, and taking that back."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, ImportRun, RunStatus
from datasets_app.services.bulk_edits import BadEdit, start_edit, undo_edit


def undo_import(run: ImportRun, *, by: Any, keep_changed: bool = False) -> BulkEdit:
    """An edit for a worker that takes the import's rows out. Raises BadEdit.

    `keep_changed` leaves those in that somebody changed since.
    """
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update().get(pk=run.pk)
        if why_not := why_not_undone(locked):
            raise BadEdit(why_not)
        edit = start_edit(
            dataset=run.dataset,
            kind=BulkKind.UNDO_IMPORT,
            by=by,
            params={"import_run": run.pk, "keep_changed": keep_changed},
        )
        ImportRun.objects.filter(pk=run.pk).update(undone_by=edit)
    return edit


def redo_import(run: ImportRun, *, by: Any) -> BulkEdit:
    """An edit that brings an undone import's rows back. Raises BadEdit."""
    if run.undone_by is None:
        raise BadEdit(_("This import has not been undone."))
    return undo_edit(run.undone_by, by=by)


def why_not_undone(run: ImportRun) -> str:
    """The reason why the import cannot be undone; empty if it can."""
    if run.is_open:
        return _("This import is still running. Cancel it or wait, then undo it.")
    if not run.has_rows:
        return _("This import added nothing.")
    if is_undone(run):
        return _("This import has been undone already.")
    return ""


def is_undone(run: ImportRun) -> bool:
    """Is it undone, or about to be, and not brought back since?"""
    undo = run.undone_by
    if undo is None or undo.status in (RunStatus.FAILED, RunStatus.CANCELLED):
        return False
    redo = getattr(undo, "undone_by", None)
    return redo is None or redo.status != RunStatus.FINISHED


def undo_of(run: ImportRun) -> BulkEdit | None:
    """The last edit that took the import back, or that brought it back."""
    return getattr(run.undone_by, "undone_by", run.undone_by)
