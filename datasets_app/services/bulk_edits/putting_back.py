"""Rows become again what they were, unless somebody changed them since."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from datasets_app import exact_json
from datasets_app.models import (
    BulkEdit,
    Example,
    ExampleRevision,
    ImportRun,
    ReviewState,
)
from datasets_app.services.bulk_edits.kind import Outcome
from datasets_app.services.bulk_edits.recording import (
    FETCHED_ROWS,
    Changes,
    as_json,
    insert_revisions,
    once_each,
    update_rows_of,
)
from datasets_app.services.bulk_edits.storing import store_examples
from datasets_app.services.bulk_edits.tag_changes import retag, tags_to_undo
from datasets_app.services.history import CONTENT_FIELDS
from datasets_app.services.long_rows import pieces_of
from datasets_app.services.review import is_own_work, may_undo
from teams_app.models import User


def put_back(
    edit: BulkEdit,
    wanted: Mapping[int, Changes],
    undone: QuerySet[ExampleRevision],
) -> Outcome:
    """Change the rows that are as `wanted` takes them to be, and record it.

    Args:
        wanted: of each row, field → [now, as it was before]; see `recording`.
        undone: the revisions that `wanted` was read from.
    """
    todo = tags_to_undo(_unchanged_since(edit, wanted))
    for pk in _approved_as_others(todo, undone):
        del todo[pk]
    _put_back_columns(edit, todo)
    n_invalid = _put_back_contents(edit, todo)
    retag(edit.dataset, todo)
    insert_revisions(edit, todo)
    return Outcome(len(todo), n_invalid)


def _unchanged_since(
    edit: BulkEdit, wanted: Mapping[int, Changes]
) -> dict[int, Changes]:
    """Without rows that are gone, or that hold something else by now."""
    kinds = {id(changes): changes for changes in wanted.values()}.values()
    names = {name for changes in kinds for name in changes} - {"tags"}
    rows = Example.with_deleted.filter(pk__among=wanted).order_by()
    may = once_each(lambda changes: _may_decide(edit, changes))
    columns = ("pk", "content_by_id", "created_by_id", *names)
    return {
        row["pk"]: changes
        for row in rows.values(*columns).iterator(FETCHED_ROWS)
        if may(changes := wanted[row["pk"]])
        and _is_as_left(row, changes)
        and _is_others_work(edit, row, changes)
    }


def _is_as_left(row: dict[str, Any], changes: Changes) -> bool:
    return all(
        as_json(row[name]) == pair[0]
        for name, pair in changes.items()
        if name != "tags"
    )


def _may_decide(edit: BulkEdit, changes: Changes) -> bool:
    """Undoing a rejection approves: roles hold here, too."""
    state_now, before = changes.get("state", [None, None])
    is_decision = changes.keys() <= {"state", "reject_reason"}
    by = edit.created_by
    return not is_decision or may_undo(before, state_now, team=edit.dataset.team, by=by)


def _is_others_work(edit: BulkEdit, row: dict[str, Any], changes: Changes) -> bool:
    """And so do four eyes, where a row would be approved again."""
    if not _approves(changes) or CONTENT_FIELDS & changes.keys():
        return True
    return not is_own_work(row, team=edit.dataset.team, by=edit.created_by)


def _approves(changes: Changes) -> bool:
    return changes.get("state", [None, None])[1] == ReviewState.APPROVED


def _approved_as_others(
    todo: Mapping[int, Changes], undone: QuerySet[ExampleRevision]
) -> set[int]:
    """Rows that would be approved, though somebody wrote or decided something since."""
    approved = [pk for pk, each in todo.items() if _approves(each)]
    if not approved:
        return set()
    last = undone.filter(example_pk=OuterRef("example_pk")).order_by("-pk")
    later = ExampleRevision.objects.filter(
        example_pk__among=approved, pk__gt=Subquery(last.values("pk")[:1])
    )
    found = later.values_list("example_pk", "changes").iterator(FETCHED_ROWS)
    return {pk for pk, each in found if (CONTENT_FIELDS | {"state"}) & each.keys()}


def _put_back_columns(edit: BulkEdit, todo: Mapping[int, Changes]) -> None:
    """Rows that get the same values back are changed by one UPDATE."""
    alike: dict[str, list[int]] = defaultdict(list)
    text_of = once_each(lambda each: exact_json.dumps(_values(each)))
    for pk, changes in todo.items():
        if not CONTENT_FIELDS & changes.keys():
            alike[text_of(changes)].append(pk)
    for text, pks in alike.items():
        update_rows_of(edit, pks, _as_columns(exact_json.loads(text)))


def _values(changes: Changes) -> dict[str, Any]:
    return {name: before for name, (_now, before) in changes.items() if name != "tags"}


def _as_columns(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("deleted_at"):
        values["deleted_at"] = datetime.fromisoformat(values["deleted_at"])
    user = values.get("assignee_id")
    if user and not User.objects.filter(pk=user).exists():  # they left meanwhile
        values["assignee_id"] = None
    run = values.get("import_run_id")
    if run and not ImportRun.objects.filter(pk=run).exists():
        values["import_run_id"] = None
    return values


def _put_back_contents(edit: BulkEdit, todo: Mapping[int, Changes]) -> int:
    """Returns how many of these rows have problems."""
    changed = [pk for pk, each in todo.items() if CONTENT_FIELDS & each.keys()]
    return sum(_store(edit, piece, todo) for piece in pieces_of(changed))


def _store(edit: BulkEdit, pks: list[int], todo: Mapping[int, Changes]) -> int:
    rows = Example.with_deleted.filter(pk__among=pks).defer("text")
    examples = list(rows.order_by())
    fields: set[str] = set()
    for example in examples:
        values = _as_columns(_values(todo[example.pk]))
        fields |= values.keys()
        for name, value in values.items():
            setattr(example, name, value)
    return store_examples(edit, examples, fields)
