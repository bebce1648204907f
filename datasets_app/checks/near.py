"""Groups of texts that are nearly the same, from their signatures.

Rows whose signatures agree in a whole band are candidates; an estimate from both
signatures sorts out most; the caller compares what is left, text by text. With 18
bands of 7 places, of pairs that are 0.85 alike one in a thousand is missed.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.85  # of all shingles are common
MAYBE_ALIKE = 0.75  # three standard errors of the estimate lower
N_BANDS, BAND_PLACES = 18, 7
ESTIMATE_AT_ONCE = 20_000
FEW = 64  # so many new rows are compared with every row, without bands
MOST_LIKELY = 200  # candidates for one row that are looked at, the likeliest first
_PRIME = np.uint64(0x100000001B3)

Indexes = NDArray[np.int64]
Signatures = NDArray[np.uint16]
Pairs = tuple[Indexes, Indexes]


class Groups:
    """Rows 0 … n-1 in groups, each known by its lowest row (union-find)."""

    def __init__(self, n: int) -> None:
        self.parents: Indexes = np.arange(n)

    def lowest(self, row: int) -> int:
        parents = self.parents
        while (parent := parents[row]) != row:
            parents[row] = parents[parent]
            row = parent
        return int(row)

    def join(self, one: int, other: int) -> None:
        one, other = self.lowest(one), self.lowest(other)
        self.parents[max(one, other)] = min(one, other)

    def all_lowest(self) -> Indexes:
        while not np.array_equal(self.parents, self.parents[self.parents]):
            self.parents = self.parents[self.parents]
        return self.parents

    def are_apart(self, left: Indexes, right: Indexes) -> NDArray[np.bool_]:
        lowest = self.all_lowest()
        return np.not_equal(lowest[left], lowest[right])


def candidates(
    signatures: Signatures, is_new: NDArray[np.bool_], groups: Groups
) -> Iterator[Pairs]:
    """Pairs that may be alike, of which one at least is new, not yet in one group.

    Between two of the yielded batches the caller may join groups: pairs that are in
    one by then are left out.
    """
    if np.count_nonzero(is_new) <= FEW:
        found = _with_every_row(signatures, np.flatnonzero(is_new))
    else:
        found = (_in_band(signatures, band) for band in range(N_BANDS))
    for left, right in found:
        wanted = (is_new[left] | is_new[right]) & groups.are_apart(left, right)
        left, right = left[wanted], right[wanted]
        likely = estimates(signatures, left, right) >= MAYBE_ALIKE
        yield left[likely], right[likely]


def estimates(
    signatures: Signatures, left: Indexes, right: Indexes
) -> NDArray[np.float64]:
    parts = [
        (
            signatures[left[n : n + ESTIMATE_AT_ONCE]]
            == signatures[right[n : n + ESTIMATE_AT_ONCE]]
        ).mean(axis=1)
        for n in range(0, len(left), ESTIMATE_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _likeness(signatures: Signatures, one: Signatures) -> NDArray[np.float64]:
    """Of each row with one, as the signatures estimate it."""
    parts = range(0, len(signatures), ESTIMATE_AT_ONCE)
    return np.concatenate(
        [
            (signatures[start : start + ESTIMATE_AT_ONCE] == one).mean(axis=1)
            for start in parts
        ]
    )


def _with_every_row(signatures: Signatures, new: Indexes) -> Iterator[Pairs]:
    for row in new:
        likeness = _likeness(signatures, signatures[row])
        likeness[row] = 0
        others = np.flatnonzero(likeness >= MAYBE_ALIKE)
        others = others[np.argsort(-likeness[others], kind="stable")][:MOST_LIKELY]
        yield np.full(len(others), row), others


def _in_band(signatures: Signatures, band: int) -> Pairs:
    """Of rows that agree in the band: each with the first and with the one before.

    Which ones these are is another matter of chance in every band, so that a pair that
    meets in several bands is hardly ever passed over; the same texts are neighbours.
    """
    keys = _keys(signatures[:, band * BAND_PLACES : (band + 1) * BAND_PLACES])
    order = np.lexsort((_keys(np.roll(signatures, band, axis=1)), keys))
    keys = keys[order]
    goes_on = np.append(False, keys[1:] == keys[:-1])
    places = np.arange(len(keys))
    firsts = np.maximum.accumulate(np.where(goes_on, 0, places))
    later = np.flatnonzero(goes_on)
    left = np.concatenate([order[firsts[later]], order[later - 1]])
    right = np.concatenate([order[later], order[later]])
    return left, right


def _keys(part: Signatures) -> NDArray[np.uint64]:
    keys = np.full(len(part), 0xCBF29CE484222325, np.uint64)
    for place in range(part.shape[1]):
        keys = (keys ^ part[:, place].astype(np.uint64)) * _PRIME
    return keys
