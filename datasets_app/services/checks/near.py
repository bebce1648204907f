"""Which rows of a dataset are nearly the same."""

from array import array
from collections.abc import Callable

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from datasets_app.checks.features import compared_shingles
from datasets_app.checks.near import ALIKE, Groups, Indexes, Signatures, candidates
from datasets_app.checks.signatures import (
    N_HASHES,
    SIGNATURE_TYPE,
    Shingles,
    likeness,
)
from datasets_app.models import Dataset, Example, ExampleFeatures
from datasets_app.services.checks.keeping import in_chunks

PAIRS_AT_ONCE = 200
READ_AT_ONCE = 20
HELD_SHINGLES = 4_000_000  # of rows compared lately, eight bytes each
ALONE = 0  # stands for no group


def refresh_groups(dataset: Dataset, *, on_part: Callable[[], None]) -> int:
    """Find the near duplicates of the rows that are new or changed.

    Returns how many rows these were. Rows that were compared before keep their group,
    unless a new one joins two of them.
    """
    of_dataset = ExampleFeatures.objects.filter(dataset=dataset)
    n_new = of_dataset.filter(is_compared=False).count()
    if n_new:
        known = _Known(dataset)
        known.compare(on_part)
        with transaction.atomic():  # half of the groups would be wrong ones
            on_part()
            known.store()
    return n_new


class _Known:
    """The dataset's signatures, 256 bytes a row, and its groups, in flat memory."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        features = ExampleFeatures.objects.filter(dataset=dataset).order_by("pk")
        rows = features.values_list("pk", "min_hashes", "near_group", "is_compared")
        signatures, is_new = bytearray(), bytearray()
        pks, groups = array("q"), array("q")
        for pk, min_hashes, group, is_compared in rows.iterator():
            signatures += min_hashes
            pks.append(pk)
            groups.append(group or ALONE)
            is_new.append(not is_compared)
        self.signatures: Signatures = np.frombuffer(signatures, SIGNATURE_TYPE).reshape(
            -1, N_HASHES
        )
        self.pks: Indexes = np.frombuffer(pks, np.int64)
        self.is_new: NDArray[np.bool_] = np.frombuffer(is_new, np.bool_)
        self.stored: Indexes = np.frombuffer(groups, np.int64)
        self.groups = Groups(len(pks))
        self.groups.parents = _first_of_each(self.pks, self.stored)
        self.held: dict[int, Shingles] = {}

    def compare(self, on_part: Callable[[], None]) -> None:
        for left, right in candidates(self.signatures, self.is_new, self.groups):
            on_part()
            pairs = list(zip(left.tolist(), right.tolist(), strict=True))
            for chunk in in_chunks(pairs, PAIRS_AT_ONCE):
                on_part()
                self._join_alike(chunk)

    def _join_alike(self, pairs: list[tuple[int, int]]) -> None:
        lowest = self.groups.lowest
        apart = [(a, b) for a, b in pairs if lowest(a) != lowest(b)]
        texts = self._shingles({row for pair in apart for row in pair})
        for one, other in apart:
            if lowest(one) == lowest(other) or not {one, other} <= texts.keys():
                continue
            if likeness(texts[one], texts[other]) >= ALIKE:
                self.groups.join(one, other)

    def _shingles(self, rows: set[int]) -> dict[int, Shingles]:
        """Of these rows and others: one row is compared with many others in turn."""
        if sum(map(len, self.held.values())) > HELD_SHINGLES:
            self.held.clear()
        self.held |= self._read_shingles(rows - self.held.keys())
        return self.held

    def _read_shingles(self, rows: set[int]) -> dict[int, Shingles]:
        row_of = {int(self.pks[row]): row for row in rows}
        columns = ("pk", "messages", "preferred_output")
        texts = Example.objects.filter(pk__in=list(row_of)).order_by()
        return {
            row_of[pk]: compared_shingles(
                {"messages": messages, "preferred_output": preferred}
            )
            for pk, messages, preferred in texts.values_list(*columns).iterator(
                READ_AT_ONCE
            )
        }

    def store(self) -> None:
        """Write the groups that changed; a row that is alone has none."""
        lowest = self.groups.all_lowest()
        sizes = np.bincount(lowest, minlength=len(lowest))
        now = np.where(sizes[lowest] == 1, ALONE, self.pks[lowest])
        changed = np.flatnonzero(now != self.stored)
        for rows in in_chunks(changed.tolist()):
            groups, pks = now[rows].tolist(), self.pks[rows].tolist()
            _update(
                [(group or None, pk) for group, pk in zip(groups, pks, strict=True)]
            )
        of_dataset = ExampleFeatures.objects.filter(dataset=self.dataset)
        of_dataset.filter(is_compared=False).update(is_compared=True)


def _first_of_each(pks: Indexes, groups: Indexes) -> Indexes:
    """For each row the first one of its group; it itself where it has none.

    The row that gave the group its name may have been deleted since.
    """
    rows = np.arange(len(pks))
    names = np.where(groups == ALONE, -pks, groups)
    _names, firsts, places = np.unique(names, return_index=True, return_inverse=True)
    return np.where(groups == ALONE, rows, firsts[places])


def _update(groups: list[tuple[int | None, int]]) -> None:
    table = connection.ops.quote_name(ExampleFeatures._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET near_group = %s WHERE example_id = %s",  # noqa: S608
            groups,
        )
