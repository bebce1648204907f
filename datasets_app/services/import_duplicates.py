"""Rows of a file that the dataset holds already: recognised by their content hash."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.timezone import now

from datasets_app import exact_json
from datasets_app.database.bulk import texts_in
from datasets_app.models import (
    Dataset,
    Example,
    ExampleRevision,
    ImportDuplicate,
    ImportRun,
    OnDuplicate,
    ReviewState,
)
from datasets_app.services.import_batches import Row
from datasets_app.services.import_tags import add_tags
from datasets_app.services.inserting import insert_rows, update_rows

MAX_LISTED = 1_000  # of a file; all are counted
REPLACED_FIELDS = ("extra", "split", "state", "reject_reason", "import_run_id")

WHO_AND_WHEN = ("updated_at", "updated_by_id", "content_by_id")


@dataclass(slots=True)
class Sorted:
    """The rows to add; those whose content is there already, or twice in the file."""

    new: list[Row] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)


def sort_out(run: ImportRun, dataset: Dataset, rows: list[Row]) -> Sorted:
    """Which rows the dataset does not hold yet, each content once."""
    if run.on_duplicate == OnDuplicate.ADD:
        return Sorted(new=rows)
    held = set(_held(dataset, rows).values_list("content_hash", flat=True))
    found = Sorted()
    for row in rows:
        content_hash = row.derived.content_hash
        (found.known if content_hash in held else found.new).append(row)
        held.add(content_hash)
    return found


def _held(dataset: Dataset, rows: Iterable[Row]) -> Any:
    hashes = texts_in({row.derived.content_hash for row in rows})
    return dataset.examples.filter(content_hash__in=hashes).order_by()


def list_duplicates(run: ImportRun, dataset: Dataset, rows: list[Row]) -> None:
    """Keep of the first ones which row of the dataset each equals."""
    listed = rows[: max(0, MAX_LISTED - run.n_duplicate - run.n_replaced)]
    if not listed:
        return
    pk_of = _first_pks(dataset, listed)
    ImportDuplicate.objects.bulk_create(
        ImportDuplicate(
            import_run=run,
            line_number=row.line_number,
            example_id=pk_of.get(row.derived.content_hash),
        )
        for row in listed
    )


def _first_pks(dataset: Dataset, rows: list[Row]) -> dict[str, int]:
    found = _held(dataset, rows).order_by("-pk").values_list("content_hash", "pk")
    return dict(found)


def replace_rows(run: ImportRun, dataset: Dataset, rows: list[Row]) -> None:
    """Give the rows of the dataset what the file says beside their content.

    Tags that they have already stay. A row that differs now goes back to draft. Each
    keeps in its history what it was; of lines with one content the last one counts.
    """
    row_of = {row.derived.content_hash: row for row in rows}
    pks = list(_first_pks(dataset, rows).values())
    examples = Example.objects.filter(pk__in=pks).only(
        "content_hash", "content_by_id", *REPLACED_FIELDS
    )
    changes = {
        example: found
        for example in examples
        if (found := _replace(run, example, row_of[example.content_hash].derived.extra))
    }
    tagged = {
        example.pk: tags
        for example in changes
        if (tags := row_of[example.content_hash].tags)
    }
    retagged = add_tags(dataset, tagged)
    for example, changed in changes.items():
        if example.pk in retagged:
            changed["tags"] = retagged[example.pk]
    update_rows(Example, (*REPLACED_FIELDS, *WHO_AND_WHEN), changes)
    _record(run, changes)


def _replace(
    run: ImportRun, example: Example, extra: str | None
) -> dict[str, list[Any]]:
    """Change the example; returns what changed, as a revision keeps it."""
    before = {name: getattr(example, name) for name in REPLACED_FIELDS}
    example.extra = None if extra is None else exact_json.loads(extra)
    example.split = str(run.split)
    if (example.extra, example.split) != (before["extra"], before["split"]):
        example.state, example.reject_reason = ReviewState.DRAFT.value, ""
    if example.extra != before["extra"]:
        example.content_by_id = run.created_by_id
    example.import_run_id = run.pk
    example.updated_at, example.updated_by_id = now(), run.created_by_id
    after = {name: getattr(example, name) for name in REPLACED_FIELDS}
    return {k: [before[k], v] for k, v in after.items() if before[k] != v}


def _record(run: ImportRun, changes: dict[Example, dict[str, list[Any]]]) -> None:
    time = connection.ops.adapt_datetimefield_value(now())
    shared = (run.dataset_id, run.pk, time, run.created_by_id)
    insert_rows(
        ExampleRevision,
        ("dataset", "import_run", "created_at", "created_by", "example_pk", "changes"),
        (
            (*shared, example.pk, str(exact_json.dumps(changed)))
            for example, changed in changes.items()
        ),
    )
