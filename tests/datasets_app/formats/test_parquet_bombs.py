"""Small files that would unpack to more than a machine holds."""

import io
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.formats import open_rows, parquet_sizes
from datasets_app.formats.parquet_sizes import rows_with_sizes
from datasets_app.jsonl import BadFile
from tests.datasets_app.formats.files import CHAT, parquet_of

LONG = "x" * 1024**2


def shared(n: int, value: str) -> pa.DictionaryArray:
    """One value, `n` times."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), [value])


def file_of(**columns) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd", store_schema=False)
    assert len(file.getvalue()) < 100_000
    return file


def one_list(elements) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(elements)]), elements)


def test_a_value_that_many_rows_share_is_held_once():
    rows = open_rows(file_of(prompt=shared(256, LONG)), format="parquet")
    before = pa.total_allocated_bytes()
    line = next(iter(rows))

    assert len(line.data) > len(LONG)
    assert pa.total_allocated_bytes() - before < 50 * len(LONG)


@pytest.mark.parametrize("n", [17, 3_000])
def test_a_row_is_measured_before_it_is_unpacked(n):
    tracemalloc.start()
    (line,) = open_rows(file_of(parts=one_list(shared(n, LONG))), format="parquet")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert line.problem is not None
    assert line.problem.code == "row_too_long"
    assert most < 10 * len(LONG)


def test_a_long_row_spoils_no_other_one():
    parts = pa.array([["short"], [LONG] * 17, ["short"]])
    found = open_rows(file_of(parts=parts), format="parquet")

    assert [line.problem is None for line in found] == [True, False, True]


def test_lists_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("datasets_app.formats.parquet.MAX_ELEMENTS", 1_000)
    file = file_of(parts=one_list(shared(1_002, "")))

    with pytest.raises(BadFile, match="gzip_bomb"):
        next(iter(open_rows(file, format="parquet")))


def test_columns_are_counted_wherever_they_are():
    row = {"messages": [{f"key {n}": n for n in range(1_001)}]}
    with pytest.raises(BadFile, match="too_many_columns"):
        next(iter(open_rows(io.BytesIO(parquet_of(row)), format="parquet")))


def test_all_kinds_of_values_have_a_size(monkeypatch):
    monkeypatch.setattr(parquet_sizes, "MAX_LINE_BYTES", 0)
    batch = pa.RecordBatch.from_pylist([CHAT | {"n": 1, "at": None, "ok": [True]}] * 2)
    sizes = [size for _row, size in rows_with_sizes(batch)]

    assert 100 < sizes[0] == sizes[1] < 2_000
