"""Taking a bulk edit back: exactly what it changed, row by row.

A row that somebody changed since in one of the same fields is left as it is, and so is
one that would be approved again though its conversation is another by now. Tags are put
on and taken off one by one, so other tags do not matter.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.timezone import now

from datasets_app import exact_json
from datasets_app.database.bulk import keys_in
from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Example,
    ExampleRevision,
    ImportRun,
    ReviewState,
)
from datasets_app.services.bulk_edits import registry
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import insert_revisions
from datasets_app.services.bulk_edits.storing import store_examples
from datasets_app.services.bulk_edits.tag_undo import retag, tags_to_undo
from datasets_app.services.history import CONTENT_FIELDS
from datasets_app.services.review import is_own_work, may_undo
from teams_app.models import Role, User

Changes = dict[str, list[Any]]  # of one row: field → [now, as it was before]


class Undo(Kind):
    code = BulkKind.UNDO
    rows_at_once = 2_000

    def role(self, edit: BulkEdit) -> Role:
        return registry.kind_of(_undone(edit)).role(_undone(edit))

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        changed = _undone(edit).revisions.values("example_pk")
        return Example.with_deleted.filter(dataset=edit.dataset, pk__in=changed)

    def n_rows(self, edit: BulkEdit) -> int:
        return _undone(edit).n_changed

    def is_small(self, edit: BulkEdit, most: int) -> bool:
        return _undone(edit).n_changed <= most

    def next_pks(self, edit: BulkEdit) -> list[int]:
        left = _undone(edit).revisions.filter(example_pk__gt=edit.last_pk)
        pks = left.order_by("example_pk").values_list("example_pk", flat=True)
        return list(pks[: self.rows_at_once])

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        revisions = _undone(edit).revisions.filter(example_pk__in=keys_in(pks))
        wanted: dict[int, Changes] = {
            pk: {name: [after, before] for name, (before, after) in changes.items()}
            for pk, changes in revisions.values_list("example_pk", "changes")
        }
        return put_back(edit, wanted, revisions)


def put_back(
    edit: BulkEdit, wanted: dict[int, Changes], undone: QuerySet[ExampleRevision]
) -> Outcome:
    """Change the rows that are as `wanted` takes them to be, and record it.

    Args:
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


def _undone(edit: BulkEdit) -> BulkEdit:
    return edit.undoes  # type: ignore[return-value]


def _unchanged_since(edit: BulkEdit, wanted: dict[int, Changes]) -> dict[int, Changes]:
    """Without rows that are gone, or that hold something else by now."""
    names = {name for changes in wanted.values() for name in changes} - {"tags"}
    rows = Example.with_deleted.filter(pk__in=keys_in(wanted))
    return {
        row["pk"]: wanted[row["pk"]]
        for row in rows.values("pk", "content_by_id", "created_by_id", *names)
        if _is_as_left(row, wanted[row["pk"]]) and _may_be(edit, row, wanted[row["pk"]])
    }


def _is_as_left(row: dict[str, Any], changes: Changes) -> bool:
    return all(
        as_json(row[name]) == pair[0]
        for name, pair in changes.items()
        if name != "tags"
    )


def as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _may_be(edit: BulkEdit, row: dict[str, Any], changes: Changes) -> bool:
    """Undoing a rejection approves: roles and four eyes hold here, too."""
    state_now, before = changes.get("state", [None, None])
    team, by = edit.dataset.team, edit.created_by
    is_decision = changes.keys() <= {"state", "reject_reason"}
    if is_decision and not may_undo(before, state_now, team=team, by=by):
        return False
    if before != ReviewState.APPROVED or CONTENT_FIELDS & changes.keys():
        return True
    return not is_own_work(row, team=team, by=by)


def _approved_as_others(
    todo: dict[int, Changes], undone: QuerySet[ExampleRevision]
) -> set[int]:
    """Rows that would be approved, though somebody wrote or decided something since."""
    approved = [pk for pk, each in todo.items() if _approves(each)]
    if not approved:
        return set()
    last = undone.filter(example_pk=OuterRef("example_pk")).order_by("-pk")
    later = ExampleRevision.objects.filter(
        example_pk__in=keys_in(approved), pk__gt=Subquery(last.values("pk")[:1])
    )
    found = later.values_list("example_pk", "changes").iterator()
    return {pk for pk, each in found if (CONTENT_FIELDS | {"state"}) & each.keys()}


def _approves(changes: Changes) -> bool:
    return changes.get("state", [None, None])[1] == ReviewState.APPROVED


def _put_back_columns(edit: BulkEdit, todo: dict[int, Changes]) -> None:
    """Rows that get the same values back are changed by one UPDATE."""
    alike: dict[str, list[int]] = defaultdict(list)
    for pk, changes in todo.items():
        if not CONTENT_FIELDS & changes.keys():
            alike[exact_json.dumps(_values(changes))].append(pk)
    for values, pks in alike.items():
        Example.with_deleted.filter(pk__in=keys_in(pks)).update(
            **_as_columns(exact_json.loads(values)),
            updated_at=now(),
            updated_by=edit.created_by_id,
        )


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


def _put_back_contents(edit: BulkEdit, todo: dict[int, Changes]) -> int:
    """Returns how many of these rows have problems."""
    changed = {pk for pk, each in todo.items() if CONTENT_FIELDS & each.keys()}
    if not changed:
        return 0
    rows = Example.with_deleted.filter(pk__in=changed)
    examples = list(rows.select_related("dataset"))
    fields: set[str] = set()
    for example in examples:
        values = _as_columns(_values(todo[example.pk]))
        fields |= values.keys()
        for name, value in values.items():
            setattr(example, name, value)
    return store_examples(edit, examples, fields)
