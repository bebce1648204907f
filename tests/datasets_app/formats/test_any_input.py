"""Whatever bytes come: rows or a reason, never a crash, nothing stored by halves."""

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from datasets_app import problem_texts, services
from datasets_app.chat_format import RECORD_KEYS, canonical_line
from datasets_app.derived import derive
from datasets_app.formats import (
    ROW_KINDS,
    convert,
    guess_mapping,
    method_of,
    open_rows,
    parse_row,
    recognise,
    to_record,
)
from datasets_app.formats.columns import ROLES
from datasets_app.jsonl import BadFile, BadLine, Line
from datasets_app.models import Example, FileFormat, RunStatus, Split
from tests.datasets_app.bad_rows import BAD_LINES
from tests.datasets_app.formats.files import FILES, as_json
from tests.factories import make_dataset

EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TEXT_FORMATS = st.sampled_from(
    [each for each in FileFormat.values if each != "parquet"]
)

# Bytes that make trouble, and whole files, cut and glued together anyhow.
PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([data for _name, _format, data in FILES]),
    st.sampled_from([line for _code, _index, line in BAD_LINES if len(line) < 9000]),
    st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b"\n", b"\r", b"\t"]),
    st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0", b"PAR1"]),
    st.sampled_from([b"\xff\xfe\0\xd8", b"\xed\xa0\x80", rb'{"a": "\ud800"}']),
    st.sampled_from([b"=1+1,@SUM(A1)\n", b"<script>alert(1)</script>,x\n"]),
)
FILE_BYTES = st.lists(PIECES, max_size=6).map(b"".join)
CUT_FILES = st.tuples(
    st.sampled_from([data for _name, _format, data in FILES]), st.integers(0, 2_000)
).map(lambda cut: cut[0][: cut[1]])

TEXT = st.text(max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *(*RECORD_KEYS, "input", "weight", "preferred_completion"),
        *("prompt", "completion", "chosen", "rejected", "instruction", "output"),
        *("history", "system", "conversations", "question", "answer"),
    ]
)
MESSAGES = st.lists(
    st.dictionaries(
        st.sampled_from(
            ["role", "content", "name", "weight", "tool_calls", "from", "value", "x"]
        ),
        st.sampled_from(["user", "assistant", "developer", "human", "function_call"])
        | JSON,
        max_size=4,
    )
    | JSON,
    max_size=3,
)
ROWS = st.dictionaries(
    KEYS, JSON | MESSAGES | st.builds(lambda m: {"messages": m}, MESSAGES), max_size=5
)


def words_of(error: BadFile | BadLine) -> Any:
    return problem_texts.TEXTS[error.problem.code]


def read(data: bytes, format: str) -> list[Line]:
    lines = []
    try:
        for line in open_rows(io.BytesIO(data), format=format):
            lines.append(line)  # noqa: PERF402 (what came before the end counts)
    except BadFile as exc:
        words_of(exc)
    return lines


def check(row: dict[str, Any], format: str, mapping: dict[str, str]) -> None:
    """A row becomes a record that can be stored and frozen, or says why not."""
    try:
        record = convert(row, format, mapping)
    except BadLine as exc:
        words_of(exc)
        return
    method = method_of(format, mapping)
    derived = derive(record, method)
    assert {each.code for each in derived.problems} <= problem_texts.TEXTS.keys()
    if not derived.problems:
        assert record.keys() <= set(RECORD_KEYS)
        assert json.loads(canonical_line(record, method))


@EXAMPLES
@given(FILE_BYTES | CUT_FILES, TEXT_FORMATS)
def test_any_file_read_as_anything_gives_rows_or_a_reason(data, format):
    numbers = [line.number for line in read(data, format)]

    assert numbers == sorted(set(numbers))


@EXAMPLES
@given(FILE_BYTES | CUT_FILES)
def test_any_file_is_recognised_or_refused(data):
    try:
        found = recognise(io.BytesIO(data), "any")
    except BadFile as exc:
        words_of(exc)
        return
    for line in read(data, found.format):
        try:
            check(parse_row(line), found.format, found.mapping)
        except BadLine as exc:
            words_of(exc)


@EXAMPLES
@given(ROWS, st.sampled_from(ROW_KINDS))
def test_any_row_of_any_kind_is_a_record_or_a_reason(row, kind):
    check(row, kind, {})
    check(row, "columns", {"kind": kind})


@EXAMPLES
@given(ROWS, st.dictionaries(st.sampled_from(ROLES), KEYS))
def test_any_columns_chosen_give_a_record_or_a_reason(row, mapping):
    check(row, "columns", mapping or guess_mapping(list(row)))


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1
)


@EXAMPLES
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_cells_come_as_they_were_written(cells, encoding, packed):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("question", "answer"), *cells])
    data = text.getvalue().encode(encoding)
    lines = read(gzip.compress(data) if packed else data, "csv")

    rows = [parse_row(line) for line in lines]
    assert [(row["question"], row["answer"]) for row in rows] == cells


@EXAMPLES
@given(st.lists(st.dictionaries(TEXT, JSON), min_size=1, max_size=5))
def test_elements_come_as_they_were_written(rows):
    data = json.dumps(rows, ensure_ascii=True).encode()
    lines = read(data, "chat")

    assert [json.loads(line.data) for line in lines] == rows


class StoredRows(TestCase):
    @settings(EXAMPLES, max_examples=40)
    @given(FILE_BYTES | CUT_FILES, TEXT_FORMATS)
    def test_an_import_counts_every_row_and_stores_whole_ones(self, data, format):
        run = services.start_import(
            dataset=make_dataset(),
            file=io.BytesIO(data),
            file_name="any",
            split=Split.TRAIN,
            format=format,
        )
        services.run_import(run)
        run.refresh_from_db()

        assert run.status in (RunStatus.FINISHED, RunStatus.FAILED)
        assert run.n_read == run.n_added + run.n_invalid + run.n_duplicate
        stored = Example.objects.filter(import_run=run)
        assert stored.count() == run.n_added
        assert all(example.is_valid and example.messages for example in stored)


HOSTILE = ['=HYPERLINK("http://x","y")', "<script>alert(1)</script>", "{{ 7 * 7 }}"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text):
    row = {"messages": [{"role": "user", "content": text}], text: text}
    line = Line(1, 0, as_json(row))

    record = to_record(line, "chat")
    assert record["messages"][0]["content"] == text
    assert record["extra"] == {text: text}
