"""Groups of texts that are nearly the same, from their signatures.

Rows whose signatures agree in a whole band are candidates; an estimate from both
signatures sorts out most; the caller compares what is left, text by text. With 18
bands of 7 places, of pairs that are 0.85 alike one in a thousand is missed.

Among thousands of rows of one template a band is shared by many that are not alike.
There a row meets some of them only, others in each band, the likeliest pairs first.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.85  # of all shingles are common
MAYBE_ALIKE = 0.75  # three standard errors of the estimate lower
# Between which estimates a pair is tried, and with how many neighbours in a band a row.
ROUNDS = ((0.85, 1.0, 16), (0.80, 0.85, 16), (MAYBE_ALIKE, 0.80, 1))
MOST_TRIED = 64  # pairs of one row that are compared text by text
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
        yield from _likely(signatures, found, is_new, groups, (MAYBE_ALIKE, 1))
        return
    n_tried = np.zeros(len(signatures), np.int32)
    for *likely, n_neighbours in ROUNDS:
        for band in range(N_BANDS):
            found = _in_band(signatures, band, n_neighbours)
            for left, right in _likely(signatures, found, is_new, groups, likely):
                few = np.minimum(n_tried[left], n_tried[right]) < MOST_TRIED
                left, right = left[few], right[few]
                np.add.at(n_tried, left, 1)
                np.add.at(n_tried, right, 1)
                yield left, right


def _likely(
    signatures: Signatures,
    found: Iterable[Pairs],
    is_new: NDArray[np.bool_],
    groups: Groups,
    between: Sequence[float],
) -> Iterator[Pairs]:
    for left, right in found:
        wanted = (is_new[left] | is_new[right]) & groups.are_apart(left, right)
        left, right = left[wanted], right[wanted]
        likeness = estimates(signatures, left, right)
        likely = (between[0] <= likeness) & (likeness <= between[1])
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


def _in_band(signatures: Signatures, band: int, n_neighbours: int) -> Iterator[Pairs]:
    """Of rows that agree in the band: each with the first, and with those before it.

    Which ones these are is another matter of chance in every band, so that a pair that
    meets in several bands is hardly ever passed over; the same texts are neighbours.
    """
    keys = _keys(signatures[:, band * BAND_PLACES : (band + 1) * BAND_PLACES])
    order = np.lexsort((_keys(np.roll(signatures, band, axis=1)), keys))
    keys = keys[order]
    goes_on = np.append(False, keys[1:] == keys[:-1])
    firsts = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(keys))))
    later = np.flatnonzero(goes_on)
    yield order[firsts[later]], order[later]
    for distance in range(1, n_neighbours + 1):
        later = later[later >= distance]
        later = later[keys[later] == keys[later - distance]]
        if not len(later):
            return
        yield order[later - distance], order[later]


def _keys(part: Signatures) -> NDArray[np.uint64]:
    keys = np.full(len(part), 0xCBF29CE484222325, np.uint64)
    for place in range(part.shape[1]):
        keys = (keys ^ part[:, place].astype(np.uint64)) * _PRIME
    return keys
