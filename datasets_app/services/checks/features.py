"""Reading rows that changed, and keeping what the checks need to know of them."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from datasets_app.checks.features import Features, features_of
from datasets_app.checks.signatures import signatures_of
from datasets_app.models import Dataset, Example, ExampleFeatures
from datasets_app.services.inserting import insert_rows

ROWS_AT_ONCE = 500
READ_AT_ONCE = 20  # a row may hold megabytes
MAX_SHINGLES = 2_000_000  # 16 MB
_FIELDS = (
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


@dataclass(frozen=True, slots=True)
class ReadRow:
    pk: int
    content_hash: str
    features: Features


def refresh_features(
    dataset: Dataset, *, on_batch: Callable[[int], None] | None = None
) -> int:
    """Read every row that is new or changed; returns how many these were.

    Afterwards there are features of all rows that are not in the bin, and of no other.
    """
    forget_removed(dataset)
    stale = stale_examples(dataset)
    for start in range(0, len(stale), ROWS_AT_ONCE):
        store_features(dataset, stale[start : start + ROWS_AT_ONCE])
        if on_batch:
            on_batch(min(start + ROWS_AT_ONCE, len(stale)))
    return len(stale)


def forget_removed(dataset: Dataset) -> None:
    """Rows in the bin are read anew when they are put back."""
    live = Example.objects.filter(dataset=dataset).order_by()
    known = ExampleFeatures.objects.filter(dataset=dataset)
    known.exclude(example__in=live.values("pk")).delete()


def stale_examples(dataset: Dataset) -> "array[int]":
    """The keys of the rows whose features are missing or of an older content."""
    fresh = ExampleFeatures.objects.filter(
        example=OuterRef("pk"), content_hash=OuterRef("content_hash")
    )
    stale = Example.objects.filter(~Exists(fresh), dataset=dataset).order_by("pk")
    return array("q", stale.values_list("pk", flat=True).iterator())


def store_features(dataset: Dataset, pks: "array[int]") -> None:
    for rows in _read(pks):
        signatures = signatures_of([row.features.shingles for row in rows])
        with transaction.atomic():
            _replace(dataset, rows, [each.tobytes() for each in signatures])


def _read(pks: "array[int]") -> Iterator[list[ReadRow]]:
    columns = ("pk", "content_hash", "messages", "tools", "preferred_output")
    found = Example.objects.filter(pk__in=list(pks)).order_by("pk")
    rows: list[ReadRow] = []
    n_shingles = 0
    for pk, content_hash, *record in found.values_list(*columns).iterator(READ_AT_ONCE):
        features = features_of(dict(zip(columns[2:], record, strict=True)))
        rows.append(ReadRow(pk, content_hash, features))
        n_shingles += len(features.shingles)
        if n_shingles > MAX_SHINGLES:
            yield rows
            rows, n_shingles = [], 0
    if rows:
        yield rows


def _replace(dataset: Dataset, rows: list[ReadRow], signatures: list[bytes]) -> None:
    # Locked until the commit, so that no row vanishes under its features.
    kept = Example.objects.select_for_update().filter(pk__in=[row.pk for row in rows])
    still_there = set(kept.order_by("pk").values_list("pk", flat=True))
    ExampleFeatures.objects.filter(pk__in=still_there).delete()
    insert_rows(
        ExampleFeatures,
        ("example", "dataset", "content_hash", "min_hashes", *_FIELDS),
        (
            _values(dataset, row, signature)
            for row, signature in zip(rows, signatures, strict=True)
            if row.pk in still_there
        ),
    )


def _values(dataset: Dataset, row: ReadRow, signature: bytes) -> tuple[Any, ...]:
    own = (getattr(row.features, name) for name in _FIELDS)
    return (row.pk, dataset.pk, row.content_hash, signature, *own)
