"""Revisions of many rows at once.

Of thousands of rows most change alike: these share one object that says how, so that it
is made, compared and written as JSON once. Whoever has such an object changes it not.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.timezone import now

from datasets_app import exact_json
from datasets_app.models import BulkEdit, Example, ExampleRevision
from datasets_app.services.inserting import insert_rows

REVISION_FIELDS = (
    "dataset",
    "example_pk",
    "bulk_edit",
    "changes",
    "created_at",
    "created_by",
)
FETCHED_ROWS = 100  # a row may be megabytes long
Changes = Mapping[str, list[Any]]  # of a row: field → [before, after]
T = TypeVar("T")


def once_each(function: Callable[[Changes], T]) -> Callable[[Changes], T]:
    """The function, asked once for each object. They have to live as long as it."""
    known: dict[int, T] = {}

    def answer(changes: Changes) -> T:
        if id(changes) not in known:
            known[id(changes)] = function(changes)
        return known[id(changes)]

    return answer


def put_values(
    edit: BulkEdit, rows: QuerySet[Example], targets: Mapping[str, Any]
) -> int:
    """Give the rows these values, and record it; returns how many differed.

    The rows are locked, so that between looking and changing nobody changes them.
    """
    read = rows.order_by().values_list("pk", *targets)
    changes = _differences(read.iterator(), targets)
    insert_revisions(edit, changes)
    update_rows_of(edit, changes, targets)
    return len(changes)


def update_rows_of(
    edit: BulkEdit, pks: Collection[int], targets: Mapping[str, Any]
) -> None:
    """These values into the rows, and who changed them when."""
    signed = {"updated_at": now(), "updated_by": edit.created_by_id}
    if pks:
        rows = Example.with_deleted.filter(pk__among=pks)
        rows.update(**targets, **signed)


def _differences(rows: Any, targets: Mapping[str, Any]) -> dict[int, Changes]:
    known: dict[tuple[Any, ...], Changes] = {}
    found: dict[int, Changes] = {}
    for pk, *values in rows:
        key = tuple(values)
        if key not in known:
            known[key] = {
                name: [as_json(before), as_json(after)]
                for before, (name, after) in zip(key, targets.items(), strict=True)
                if before != after
            }
        if known[key]:
            found[pk] = known[key]
    return found


def read_backwards(revisions: QuerySet[ExampleRevision]) -> dict[int, Changes]:
    """Of each row: field → [after, before]; one revision a row."""
    known: dict[str, Changes] = {}
    found: dict[int, Changes] = {}
    texts = revisions.order_by().values_list("example_pk", Cast("changes", TextField()))
    for pk, text in texts.iterator(FETCHED_ROWS):
        if text not in known:
            pairs = exact_json.loads(text).items()
            known[text] = {name: [after, before] for name, (before, after) in pairs}
        found[pk] = known[text]
    return found


def as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def insert_revisions(edit: BulkEdit, changes: Mapping[int, Changes]) -> None:
    """One for each row, by its key."""
    time = connection.ops.adapt_datetimefield_value(now())
    text_of = once_each(lambda each: str(exact_json.dumps(each)))
    insert_rows(
        ExampleRevision,
        REVISION_FIELDS,
        (
            (edit.dataset_id, pk, edit.pk, text_of(each), time, edit.created_by_id)
            for pk, each in changes.items()
        ),
    )
