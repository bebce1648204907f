"""How much memory rows of a Parquet file will take, before they take it.

A file of a few kilobytes may name one long value in every element of every row.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from datasets_app.jsonl import MAX_LINE_BYTES

MAX_ELEMENTS = 30_000_000  # of the lists in a row group
ELEMENT_BYTES = 8  # at least, whatever it holds


def rows_with_sizes(batch: Any) -> Iterator[tuple[Any, int]]:
    """Each row of the batch, and about how many bytes it unpacks to.

    Mostly all rows together are no longer than one may be; then none is measured.
    """
    are_short = _size_of_all(batch) <= MAX_LINE_BYTES
    for n in range(batch.num_rows):
        row = batch.slice(n, 1)
        yield row, 0 if are_short else _size_of_all(row)


def _size_of_all(batch: Any) -> int:
    return sum(_size_of(column) for column in batch.columns)


def _size_of(array: Any) -> int:
    """Of all elements of an array, each value as often as it is named."""
    types, kind = import_module("pyarrow.types"), array.type
    n_bytes = ELEMENT_BYTES * len(array)
    if types.is_dictionary(kind):
        return n_bytes + _size_of_named(array)
    if types.is_struct(kind):
        return n_bytes + sum(_size_of(field) for field in array.flatten())
    if types.is_nested(kind):
        return n_bytes + _size_of(array.flatten())
    return n_bytes + int(array.nbytes)


def _size_of_named(array: Any) -> int:
    compute = import_module("pyarrow.compute")
    lengths = compute.binary_length(array.dictionary)
    return compute.sum(lengths.take(array.indices)).as_py() or 0
