"""Reading rows that changed: what the checks need to know of them, and find in them."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, Min, OuterRef

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.checks.codes import CHECKS_VERSION, OWN_CODES
from datasets_app.checks.features import Features, features_of
from datasets_app.checks.rows import row_findings
from datasets_app.checks.signatures import signatures_of
from datasets_app.models import Dataset, Example, ExampleFeatures, Finding
from datasets_app.services.checks.keeping import (
    Found,
    found,
    in_chunks,
    lock_examples,
    replace_row_findings,
)
from datasets_app.services.inserting import insert_rows

ROWS_AT_ONCE = 500
READ_AT_ONCE = 20  # a row may hold megabytes
MAX_SHINGLES = 2_000_000  # 16 MB
SMALL_GROUP = 100
_RECORD = ("messages", "tools", "functions", *OUTPUT_KEYS, "extra")
_FEATURES = (
    "prompt_hash",
    "answer_hash",
    "system_hash",
    "prompt_language",
    "language",
    "n_turns",
    "prompt_length",
    "answer_length",
    "answer_start",
)
Progress = Callable[[int, int], None]
Hold = Callable[[], object]


@dataclass(frozen=True, slots=True)
class ReadRow:
    pk: int
    content_hash: str
    features: Features
    findings: tuple[Found, ...]


def refresh_features(
    dataset: Dataset, *, on_batch: Progress | None = None, hold: Hold = lambda: None
) -> int:
    """Read every row that is new or changed; returns how many these were.

    Afterwards there are features of all rows that are not in the bin, and of no other;
    and the findings of each row by itself. `on_batch` is told how many rows are read,
    of how many; `hold` is called in every transaction, and may end it.
    """
    forget_removed(dataset, hold)
    stale = stale_examples(dataset)
    for start in range(0, len(stale), ROWS_AT_ONCE):
        if on_batch:
            on_batch(start, len(stale))
        store_features(dataset, stale[start : start + ROWS_AT_ONCE], hold)
    return len(stale)


def forget_removed(dataset: Dataset, hold: Hold) -> None:
    """Rows in the bin are read anew when they are put back."""
    binned = Example.with_deleted.filter(dataset=dataset, deleted_at__isnull=False)
    removed = ExampleFeatures.objects.filter(example__in=binned.order_by().values("pk"))
    for chunk in in_chunks(list(removed.values_list("pk", flat=True))):
        with transaction.atomic():
            hold()
            _leave_groups(chunk)
            ExampleFeatures.objects.filter(pk__in=chunk).delete()
            Finding.objects.filter(example__in=chunk).delete()
            Example.with_deleted.filter(pk__in=chunk).update(n_findings=0)


def stale_examples(dataset: Dataset) -> "array[int]":
    """The keys of the rows that were never read, or said something else then."""
    fresh = ExampleFeatures.objects.filter(
        example=OuterRef("pk"),
        content_hash=OuterRef("content_hash"),
        checks_version=CHECKS_VERSION,
    )
    stale = Example.objects.filter(~Exists(fresh), dataset=dataset).order_by()
    unread = set(stale.values_list("pk", flat=True).iterator())
    return array("q", sorted(unread | _of_changed_validity(dataset)))


def _of_changed_validity(dataset: Dataset) -> set[int]:
    """Rows whose problems came or went without a change of what is trained on."""
    invalid = Example.objects.filter(dataset=dataset, is_valid=False).order_by()
    structural = Finding.objects.filter(dataset=dataset).exclude(code__in=OWN_CODES)
    flagged = structural.order_by().values_list("example", flat=True)
    return set(invalid.values_list("pk", flat=True)) ^ set(flagged)


def store_features(dataset: Dataset, pks: Iterable[int], hold: Hold) -> None:
    for rows in _read(pks):
        signatures = signatures_of([row.features.shingles for row in rows])
        with transaction.atomic():
            hold()
            _replace(dataset, rows, [each.tobytes() for each in signatures])


def _read(pks: Iterable[int]) -> Iterator[list[ReadRow]]:
    rows: list[ReadRow] = []
    n_shingles = 0
    examples = Example.objects.filter(pk__in=list(pks)).order_by("pk")
    columns = ("pk", "content_hash", "problems", *_RECORD)
    for values in examples.values_list(*columns).iterator(READ_AT_ONCE):
        rows.append(_read_row(*values))
        n_shingles += len(rows[-1].features.shingles)
        if n_shingles > MAX_SHINGLES:
            yield rows
            rows, n_shingles = [], 0
    if rows:
        yield rows


def _read_row(pk: int, content_hash: str, problems: list[Any], *values: Any) -> ReadRow:
    present = zip(_RECORD, values, strict=True)
    record = {key: value for key, value in present if value is not None}
    features = features_of(record)
    findings = [
        found(p["code"], pk, None, p["message_index"], **p["params"]) for p in problems
    ]
    findings += [
        found(p.code, pk, None, p.message_index, **p.params)
        for p in row_findings(record, features)
    ]
    return ReadRow(pk, content_hash, features, tuple(findings))


def _replace(dataset: Dataset, rows: list[ReadRow], signatures: list[bytes]) -> None:
    there = lock_examples(row.pk for row in rows)
    _leave_groups(there)
    ExampleFeatures.objects.filter(pk__in=there).delete()
    insert_rows(
        ExampleFeatures,
        ("example", "dataset", "content_hash", "min_hashes", *_FEATURES)
        + ("is_compared", "checks_version"),
        (
            _values(dataset, row, signature)
            for row, signature in zip(rows, signatures, strict=True)
            if row.pk in there
        ),
    )
    kept = [each for row in rows if row.pk in there for each in row.findings]
    replace_row_findings(dataset, there, kept)


def _values(dataset: Dataset, row: ReadRow, signature: bytes) -> tuple[Any, ...]:
    own = (getattr(row.features, name) for name in _FEATURES)
    known = (row.pk, dataset.pk, row.content_hash, signature)
    return (*known, *own, False, CHECKS_VERSION)


def _leave_groups(pks: Iterable[int]) -> None:
    """What is left of these rows' near groups is compared anew.

    A big group stays together, under the lowest key that is left: one row seldom
    holds many others together, and comparing all of them takes long.
    """
    left = ExampleFeatures.objects.filter(pk__in=list(pks), near_group__isnull=False)
    for dataset_id, group in set(left.values_list("dataset", "near_group")):
        rest = ExampleFeatures.objects.filter(
            dataset=dataset_id, near_group=group
        ).exclude(pk__in=list(pks))
        if rest.count() <= SMALL_GROUP:
            rest.update(near_group=None, is_compared=False)
        else:
            rest.update(near_group=rest.aggregate(lowest=Min("pk"))["lowest"])
