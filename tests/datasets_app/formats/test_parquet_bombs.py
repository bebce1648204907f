"""Small files that would unpack to more than a machine holds."""

import io
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.formats import open_rows, parquet_sizes
from datasets_app.formats.parquet_sizes import rows_with_sizes
from datasets_app.jsonl import BadFile
from tests.datasets_app.formats.files import CHAT, lying_parquet, parquet_of

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


def refusal(data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        next(iter(open_rows(io.BytesIO(data), format="parquet")))
    return caught.value.problem.code


def test_a_page_that_claims_gigabytes_takes_no_memory():
    data, before = lying_parquet(2**31 - 1), pa.default_memory_pool().max_memory()

    assert refusal(data) == "parquet_page_too_big"
    assert pa.default_memory_pool().max_memory() - before < len(LONG)


def test_pages_are_believed_and_not_the_footer(monkeypatch):
    monkeypatch.setattr("datasets_app.formats.parquet.RATIO_COUNTS_FROM", 10**7)

    assert refusal(lying_parquet(10**8)) == "gzip_bomb"


def delta_file(length: int, *, is_list: bool) -> bytes:
    """Two hundred equal texts, of which each page holds one."""
    texts, file = pa.array(["x" * length] * 200), io.BytesIO()
    pq.write_table(
        pa.table({"prompt": one_list(texts) if is_list else texts}),
        file,
        use_dictionary=False,
        column_encoding="DELTA_BYTE_ARRAY",
        compression="zstd",
        write_statistics=False,
    )
    return file.getvalue()


@pytest.mark.parametrize(("length", "is_list"), [(100_000, False), (60_000, True)])
def test_values_that_only_say_what_differs_are_measured(monkeypatch, length, is_list):
    monkeypatch.setattr("datasets_app.formats.parquet.MAX_PAGE_BYTES", 10**7)
    small = delta_file(60_000, is_list=False)

    assert refusal(delta_file(length, is_list=is_list)) == "parquet_page_too_big"
    assert len(list(open_rows(io.BytesIO(small), format="parquet"))) == 200


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_texts_of_deltas_are_read(encoding):
    data = parquet_of(
        {"prompt": "a", "completion": "b"},
        use_dictionary=False,
        column_encoding=encoding,
    )
    (line,) = open_rows(io.BytesIO(data), format="parquet")

    assert json.loads(line.data) == {"prompt": "a", "completion": "b"}


def test_a_footer_that_counts_no_rows_ends_no_import():
    data = parquet_of(CHAT, CHAT)
    n_rows = b"\x16\x04\x19\x1c"  # in the footer: two rows, then one row group
    assert data.count(n_rows) == 1

    lines = open_rows(
        io.BytesIO(data.replace(n_rows, b"\x16\x00\x19\x1c")), format="parquet"
    )
    assert all(0 <= line.end <= len(data) for line in lines)


def test_a_header_without_end_or_sense_is_a_broken_file():
    data = lying_parquet(1)
    column = pq.read_metadata(io.BytesIO(data)).row_group(0).column(0)
    for junk in (b"\xff" * 12, b"\x1c" * 40, b"\x15\x01\x15\x01\x15\x01\x00", b"\x00"):
        at = column.data_page_offset
        assert refusal(data[:at] + junk + data[at + len(junk) :]) == "parquet_broken"
