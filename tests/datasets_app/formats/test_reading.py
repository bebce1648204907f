"""From any file to its rows, whole or with the reason why not."""

import gzip
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app import file_problem_texts, jsonl, problem_texts
from datasets_app.formats import (
    arrays,
    convert,
    first_lines,
    open_rows,
    recognise,
    tables,
    tags_of,
    to_record,
)
from datasets_app.formats.arrays import PIECE_BYTES
from datasets_app.jsonl import BadFile, BadLine, Line, Problem
from tests.datasets_app.formats.files import (
    BAD_FILES,
    BAD_ROWS,
    CHAT,
    COLUMNS,
    CSV,
    FILES,
    as_json,
    parquet_of,
)


def rows_of(data: bytes, format: str, **start: int) -> list[Line]:
    return list(open_rows(io.BytesIO(data), format=format, **start))


@pytest.mark.parametrize(("name", "format", "data"), FILES)
def test_a_file_is_recognised_and_every_row_says_the_chat(name, format, data):
    found = recognise(io.BytesIO(data), name)
    (line,) = rows_of(data, found.format)

    assert found.format == format
    assert found.is_certain or format == "columns"
    record = to_record(line, found.format, found.mapping)
    assert json.loads(json.dumps(record)) == CHAT


def refusal_of_file(name: str, data: bytes) -> Problem:
    file = io.BytesIO(data)
    with pytest.raises(BadFile) as caught:
        list(open_rows(file, format=recognise(file, name).format))
    return caught.value.problem


def refusal_of_row(format: str, mapping: dict[str, str], row: Any) -> Problem:
    data = row if isinstance(row, bytes) else as_json(row)
    *_good, line = rows_of(data, format)
    with pytest.raises(BadLine) as caught:
        read(line, format, mapping)
    return caught.value.problem


def read(line: Line, format: str, mapping: dict[str, str]) -> None:
    to_record(line, format, mapping)
    tags_of(line, format, mapping)


def assert_told(problem: Problem, code: str) -> None:
    told = problem_texts.describe(problem.as_json())
    assert problem.code == code
    assert told["mend"]
    assert told["what"] != code
    assert "%(" not in told["what"]


@pytest.mark.parametrize(("code", "name", "data"), BAD_FILES)
def test_a_bad_file_is_refused_as_a_whole(code, name, data):
    assert_told(refusal_of_file(name, data), code)


@pytest.mark.parametrize(("code", "format", "mapping", "row"), BAD_ROWS)
def test_a_bad_row_says_why(code, format, mapping, row):
    assert_told(refusal_of_row(format, mapping, row), code)


def test_every_problem_with_words_can_happen():
    happened = {code for code, *_rest in [*BAD_FILES, *BAD_ROWS]}
    elsewhere = {"blank_lines", "file_gone", "too_many_team_tags"}

    assert file_problem_texts.TEXTS.keys() <= happened | elsewhere


def test_a_cell_over_many_lines_is_measured_as_a_whole(monkeypatch):
    monkeypatch.setattr(tables, "MAX_LINE_BYTES", 1_000)
    line, *_rest = rows_of(b'a,b\n"' + b"x\n" * 600 + b'",y\n', "csv")

    assert line.problem is not None
    assert line.problem.code == "row_too_long"


def test_of_an_element_that_is_too_long_only_the_beginning_is_kept(monkeypatch):
    monkeypatch.setattr(arrays, "MAX_LINE_BYTES", 1_000)
    (line,) = rows_of(b'[{"a": "' + b"x" * 5_000 + b'"}]', "chat")

    assert line.is_too_long
    assert len(line.data) <= 1_000


@pytest.mark.parametrize(("format", "data"), [("chat", b"{}"), ("csv", b"a,b\n1,2")])
def test_blank_lines_without_end_are_refused(monkeypatch, format, data):
    for module in (jsonl, tables):
        monkeypatch.setattr(module, "MAX_BLANK_LINES", 5)
    assert len(rows_of(data + b"\n" * 5 + data, format)) == 2 + (format == "csv")

    with pytest.raises(BadFile) as caught:
        rows_of(data + b"\n" * 9 + data, format)
    assert_told(caught.value.problem, "blank_lines")


def test_the_rows_behind_a_bad_one_are_read():
    data = b'question,answer\na,"b"c"\nd,e\nf,g,h\ni,j\n'
    lines = rows_of(data, "csv")

    assert [line.number for line in lines] == [2, 3, 4, 5]
    assert [line.problem is None for line in lines] == [False, True, False, True]


def test_blank_rows_count_and_are_skipped():
    assert [line.number for line in rows_of(b"a,b\n\n,\n1,2\n", "csv")] == [4]


def test_columns_of_one_name_are_told_apart():
    (line,) = rows_of(b"a,a,\n1,2,3\n", "csv")

    assert json.loads(line.data) == {"a": "1", "a (2)": "2", "column 3": "3"}


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("chat", b"\n".join([as_json(CHAT)] * 5)),
        ("chat", as_json([CHAT] * 5)),
        ("csv", CSV + CSV.split(b"\n", 1)[1] * 4),
        ("parquet", parquet_of(*[CHAT] * 5, row_group_size=2)),
    ],
)
def test_reading_goes_on_where_it_stopped(format, data):
    lines = rows_of(data, format)
    assert len(lines) == 5

    for stopped in range(5):
        last = lines[stopped]
        rest = rows_of(data, format, offset=last.end, number=last.number)
        assert [line.number for line in rest] == [
            line.number for line in lines[stopped + 1 :]
        ]


@pytest.mark.parametrize(("name", "format", "data"), FILES)
def test_progress_ends_at_the_size_of_the_file(name, format, data):
    assert rows_of(data, format)[-1].end == len(data)


class TestAnArray:
    @pytest.mark.parametrize("size", [*range(1, 12), PIECE_BYTES])
    def test_is_cut_alike_whatever_the_size_of_its_pieces(self, monkeypatch, size):
        monkeypatch.setattr("datasets_app.formats.arrays.PIECE_BYTES", size)
        rows = [{"a": '\\"]},{[\\'}, {"b": [[1, {"c": "]"}], "\\\\"]}, {}]
        lines = rows_of(as_json(rows), "chat")

        assert [json.loads(line.data) for line in lines] == rows

    def test_keeps_every_elements_bytes(self):
        data = b'[{"a": 1, "a": 2}, {"a":1e999},\n {} ,{"a": 12345678901234567890.1}]'

        assert [line.data for line in rows_of(data, "chat")] == [
            b'{"a": 1, "a": 2}',
            b'{"a":1e999}',
            b"{}",
            b'{"a": 12345678901234567890.1}',
        ]

    @pytest.mark.parametrize("element", [b"1", b'"x"', b"[]", b"{]", b"", b"nul"])
    def test_has_bad_elements_in_their_place(self, element):
        lines = rows_of(b"[{}," + element + b",{}]", "chat")

        assert [line.data for line in lines] == [b"{}", element, b"{}"]
        with pytest.raises(BadLine):
            to_record(lines[1], "chat")

    def test_of_no_objects_is_a_line(self):
        (line,) = rows_of(b"[1, 2]\n", "chat")

        assert line.data == b"[1, 2]"


class TestParquet:
    def test_nulls_say_nothing(self):
        row = {"messages": [{"role": "user", "content": "x", "name": None}], "y": None}
        other = {"messages": [{"role": "user", "content": "x", "name": "Ann"}], "y": 1}
        first, _second = rows_of(parquet_of(row, other), "parquet")

        assert json.loads(first.data) == {
            "messages": [{"role": "user", "content": "x"}]
        }

    def test_text_that_is_no_utf8_is_a_bad_row(self):
        bad = pa.Array.from_buffers(
            pa.string(),
            2,
            [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffa")],
        )
        file = io.BytesIO()
        pq.write_table(pa.table({"question": bad}), file)
        first, second = open_rows(file, format="parquet")

        assert first.problem == Problem("not_utf8", params={"byte": 1})
        assert second.data == b'{"question":"a"}'

    def test_numbers_dates_and_bytes_become_text(self):
        row = {"n": Decimal("1.10"), "on": date(2026, 1, 2), "raw": b"\xff", "f": 0.1}
        (line,) = rows_of(parquet_of(row), "parquet")

        expected = {"n": "1.10", "on": "2026-01-02", "raw": "/w==", "f": 0.1}
        assert json.loads(line.data) == expected


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("chat", b"\n".join([as_json({"x": "y" * 600_000})] * 10)),
        ("chat", as_json([{"x": "y" * 600_000}] * 10)),
        ("csv", b"x\n" + b"\n".join([b"y" * 600_000] * 10)),
        ("chat", gzip.compress(b"\n".join([as_json({"x": "y" * 600_000})] * 10))),
    ],
)
def test_only_the_beginning_of_a_file_is_looked_at(format, data):
    lines = first_lines(io.BytesIO(data), format, 10)

    assert 2 <= len(lines) <= 3
    assert all(json.loads(line.data)["x"] == "y" * 600_000 for line in lines)


def test_columns_that_nobody_took_are_kept():
    row = {"question": "a", "answer": "b", "source": "forum", "messages": "x", "y": ""}
    record = convert(row, "csv", COLUMNS)

    assert record["extra"] == {"source": "forum", "messages (column)": "x"}
