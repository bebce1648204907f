"""Bulk edits: one step that changes many rows, and that can be taken back as one.

Rows are changed in pieces, in the order of their keys. A piece, its revisions and
`last_pk` are committed together: an edit that was killed goes on behind its last piece,
and one that was cancelled keeps what it did.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from datasets_app.database.bulk import keep_in_memory
from datasets_app.models import BulkEdit, BulkKind, Dataset, Example, RunStatus
from datasets_app.services import runs
from datasets_app.services.bulk_edits.kind import Kind
from datasets_app.services.bulk_edits.registry import kind_of
from datasets_app.services.check_requests import rows_changed
from datasets_app.services.errors import BadEdit, DatasetsError
from datasets_app.services.selection import Selection
from teams_app import audit
from teams_app.models import Verb

SMALL_ROWS = 500  # so few are changed at once, in the request that asks for it


def start_edit(
    *,
    dataset: Dataset,
    kind: BulkKind,
    by: Any,
    selection: Selection | None = None,
    params: Mapping[str, Any] | None = None,
    undoes: BulkEdit | None = None,
) -> BulkEdit:
    """Store the edit for a worker, or for `run_edit` at once. Raises BadEdit."""
    edit = BulkEdit(
        dataset=dataset,
        kind=kind,
        params=dict(params or {}),
        selection=(selection or Selection()).as_json(),
        undoes=undoes,
        created_by=by,
    )
    kind_of(edit).clean(edit)
    verb = Verb.PURGED if kind == BulkKind.PURGE else Verb.EDITED
    with transaction.atomic():
        edit.save()
        audit.record(verb, dataset, by=by, kind=kind, edit=edit.pk)
    return edit


def is_small(edit: BulkEdit) -> bool:
    """Is it done in a moment, so that nobody need wait for a worker?"""
    return kind_of(edit).is_small(edit, SMALL_ROWS)


def run_edit(edit: BulkEdit) -> None:
    """Do what is left of the edit; harmless to call twice, even at once."""
    if not runs.claim(edit):
        return
    with suppress(runs.LostClaim):
        if runs.has_failed_too_often(edit):
            runs.end(edit, RunStatus.FAILED, error="It stopped again and again.")
        else:
            _go_on(edit, kind_of(edit))
    rows_changed(edit.dataset_id)


def _go_on(edit: BulkEdit, kind: Kind) -> None:
    try:
        if not edit.until_pk:
            _begin(edit, kind)
        kind.prepare(edit)
        while _do_piece(edit, kind):
            pass
        kind.finish(edit)
    except DatasetsError as exc:
        runs.end(edit, RunStatus.FAILED, error=str(exc)[:500])
    else:
        runs.end(edit, RunStatus.FINISHED, n_total=edit.n_done)


def _begin(edit: BulkEdit, kind: Kind) -> None:
    """Rows that come from now on are not meant, though they may fit the selection."""
    newest = Example.with_deleted.aggregate(newest=Max("pk"))["newest"]
    runs.update(edit, until_pk=newest or 1, n_total=kind.n_rows(edit))


def _do_piece(edit: BulkEdit, kind: Kind) -> bool:
    pks = kind.next_pks(edit)
    if not pks:
        return False
    with transaction.atomic():
        keep_in_memory()
        outcome = kind.change(edit, _locked(pks, kind))
        runs.update(
            edit,
            last_pk=pks[-1],
            n_done=edit.n_done + len(pks),
            n_changed=edit.n_changed + outcome.n_changed,
            n_invalid=edit.n_invalid + outcome.n_invalid,
        )
    return True


def _locked(pks: list[int], kind: Kind) -> list[int]:
    """Those that the kind still takes; nobody else changes them until the commit."""
    rows = Example.with_deleted.select_for_update().filter(pk__among=pks)
    found = rows.order_by("pk").values_list("pk", "deleted_at")
    return [pk for pk, deleted_at in found if kind.takes_bin or deleted_at is None]


@transaction.atomic
def cancel_edit(edit: BulkEdit, *, by: Any = None) -> bool:
    """Stop it. What it has changed so far stays, and can be undone."""
    is_cancelled = runs.cancel(edit)
    if is_cancelled:
        audit.record(Verb.STOPPED, edit.dataset, by=by, kind=edit.kind, edit=edit.pk)
    return is_cancelled


def resume_edit(edit: BulkEdit, *, by: Any) -> bool:
    """Let an edit that was cancelled or failed go on, unless it was undone since.

    One that is nobody's becomes that of `by`. Raises BadEdit if it is another's.
    """
    with transaction.atomic():
        locked = BulkEdit.objects.select_for_update().get(pk=edit.pk)
        if not may_resume(locked, by=by):
            raise BadEdit(
                _(
                    "Only %(name)s can let this edit go on. "
                    "Make one of your own instead."
                )
                % {"name": locked.created_by}
            )
        is_undone = hasattr(locked, "undone_by")
        is_resumed = not is_undone and runs.resume(edit, error="", created_by=by)
        if is_resumed:
            facts = {"kind": edit.kind, "edit": edit.pk}
            audit.record(Verb.CONTINUED, edit.dataset, by=by, **facts)
        return is_resumed


def may_resume(edit: BulkEdit, *, by: Any) -> bool:
    """What an edit does is done in its maker's name: four eyes, and the history."""
    return edit.created_by_id in (None, by.pk)


def undo_edit(edit: BulkEdit, *, by: Any) -> BulkEdit:
    """A new edit that takes this one back. Raises BadEdit if that cannot be."""
    with transaction.atomic():
        locked = BulkEdit.objects.select_for_update().get(pk=edit.pk)
        if why_not := why_not_undone(locked):
            raise BadEdit(why_not)
        return start_edit(
            dataset=edit.dataset, kind=BulkKind.UNDO, by=by, undoes=locked
        )


def why_not_undone(edit: BulkEdit) -> str:
    """The reason why the edit cannot be taken back; empty if it can."""
    if edit.is_open:
        return _("This edit is still running. Cancel it or wait, then undo it.")
    if not kind_of(edit).is_undoable:
        return _("This cannot be undone.")
    if hasattr(edit, "undone_by"):
        return _("This edit has been undone already.")
    if not edit.n_changed:
        return _("This edit changed nothing.")
    return ""
