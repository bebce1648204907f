"""What an edit of conversations would do, and to how many rows, before it is done.

A request waits for this, so it looks at rows until it has seen enough or the time is
up, some at a time in the order of their keys, and says how far it came.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasets_app.models import BulkEdit, Dataset, Example
from datasets_app.services import candidates
from datasets_app.services.bulk_edits.contents import ContentEdit
from datasets_app.services.bulk_edits.registry import kind_of
from datasets_app.services.history import CONTENT_FIELDS
from datasets_app.services.selection import Selection

MOST = 1_000  # who hears "more than 1,000" does not count on
SHOWN = 10
SECONDS = 0.6
KEYS_AT_ONCE = 500
ROWS_AT_ONCE = 10  # each may be megabytes long


@dataclass(frozen=True, slots=True)
class Meant:
    """How many rows a selection means, as far as that was found out.

    `is_all` if every row was looked at; else there may be more than `n`.
    """

    n: int
    is_all: bool
    n_looked_at: int

    @property
    def is_many(self) -> bool:
        return self.n > MOST


@dataclass(frozen=True, slots=True)
class Change:
    """One row as it is, and with the fields as they would be."""

    example: Example
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows that would change, and how many would."""

    changes: list[Change]
    meant: Meant


def count_meant(selection: Selection, dataset: Dataset) -> Meant:
    n = n_looked_at = 0
    for keys, found in _windows(selection, dataset, time.monotonic() + SECONDS):
        n, n_looked_at = n + len(found), n_looked_at + len(keys)
        if n > MOST:
            return Meant(n, False, n_looked_at)
        if not keys:
            return Meant(n, True, n_looked_at)
    return Meant(n, False, n_looked_at)


def preview(edit: BulkEdit) -> Preview:
    """Of an edit that is not stored yet; nothing is changed."""
    kind = kind_of(edit)
    assert isinstance(kind, ContentEdit)  # noqa: S101
    until = time.monotonic() + SECONDS
    shown: list[Change] = []
    n = n_looked_at = 0
    selection = Selection.of(edit.selection)
    for keys, found in _windows(selection, edit.dataset, until):
        if not keys:
            return Preview(shown, Meant(n, True, n_looked_at))
        rows = Example.objects.filter(pk__in=found).defer("text").order_by("pk")
        for example in rows.select_related("dataset__team").iterator(ROWS_AT_ONCE):
            change = _changed(kind, edit, example)
            n_looked_at += 1
            if change is not None:
                n += 1
                shown += [change] if len(shown) < SHOWN else []
            if n > MOST or time.monotonic() > until:
                return Preview(shown, Meant(n, False, n_looked_at))
    return Preview(shown, Meant(n, False, n_looked_at))


def _changed(kind: ContentEdit, edit: BulkEdit, example: Example) -> Change | None:
    before = {name: getattr(example, name) for name in CONTENT_FIELDS}
    kind.edit(edit, example)
    after = {name: getattr(example, name) for name in CONTENT_FIELDS}
    return Change(example, before, after) if after != before else None


def _windows(
    selection: Selection, dataset: Dataset, until: float
) -> Iterator[tuple[list[int], list[int]]]:
    """Keys that were looked at, and which of them are meant; at the end no keys.

    A filter that fits few rows is answered from these alone.
    """
    last, size = 0, KEYS_AT_ONCE
    keys_of = Example.objects.filter(dataset=dataset)
    few = candidates.few(selection, dataset)
    if few is not None:
        keys_of = keys_of.filter(pk__in=few)
    while time.monotonic() < until:
        keys = list(
            keys_of.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[:size]
        )
        meant = selection.examples(dataset).filter(pk__in=keys).order_by("pk")
        yield keys, list(meant.values_list("pk", flat=True)) if keys else []
        if not keys:
            return
        last = keys[-1]
