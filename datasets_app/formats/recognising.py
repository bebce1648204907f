"""What kind of file this is, judged by its name and its first rows."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from datasets_app.formats import kinds, parquet
from datasets_app.formats.columns import guess_mapping, reads_columns
from datasets_app.formats.converting import parse_row
from datasets_app.formats.reading import open_rows
from datasets_app.formats.streams import PARQUET, open_text
from datasets_app.jsonl import BOM, BadFile, BadLine, Line

ROWS_LOOKED_AT = 20
BYTES_LOOKED_AT = 2 * 1024**2
TABLE_ENDINGS = {".csv": kinds.CSV, ".tsv": kinds.TSV, ".tab": kinds.TSV}


@dataclass(frozen=True, slots=True)
class Recognised:
    """The likely format, and how many of the rows looked at are of it."""

    format: str
    mapping: dict[str, str] = field(default_factory=dict)
    n_fitting: int = 0
    n_looked_at: int = 0

    @property
    def is_certain(self) -> bool:
        return 0 < self.n_fitting == self.n_looked_at


def recognise(file: BinaryIO, file_name: str) -> Recognised:
    """Raises BadFile."""
    file.seek(0)
    if file.read(len(PARQUET)) == PARQUET:
        return _table(file, kinds.PARQUET)
    _stream, head = open_text(file)
    start = head.removeprefix(BOM).lstrip()[:1]
    if start in (b"{", b"["):
        return _json_rows(file)
    if table := _table_kind(head, file_name):
        return _table(file, table)
    return _json_rows(file)


def first_lines(file: BinaryIO, format: str, limit: int) -> list[Line]:
    """Some whole rows at the beginning, in little time whatever the file. Raises
    BadFile."""
    if format == kinds.PARQUET:
        return list(islice(open_rows(file, format=format), limit))
    stream, _head = open_text(file)
    start = stream.read(BYTES_LOOKED_AT)
    if not stream.read(1):
        return list(islice(open_rows(BytesIO(start), format=format), limit))
    return _whole_lines(BytesIO(start), format, limit)


def _whole_lines(start: BinaryIO, format: str, limit: int) -> list[Line]:
    """Without the row in whose middle the beginning of the file ends."""
    lines: list[Line] = []
    with suppress(BadFile):
        lines += islice(open_rows(start, format=format), limit + 1)
    return lines[: min(limit, len(lines) - 1)] or lines[:1]


def _table_kind(head: bytes, file_name: str) -> str | None:
    """By the ending of the name, or by what stands between the first line's words."""
    endings = [ending.lower() for ending in PurePath(file_name).suffixes[-2:]]
    for ending in reversed(endings):
        if ending in TABLE_ENDINGS:
            return TABLE_ENDINGS[ending]
    if any(ending in (".jsonl", ".json", ".ndjson") for ending in endings):
        return None
    first = head.split(b"\n", 1)[0]
    if b"\t" in first:
        return kinds.TSV
    return kinds.CSV if b"," in first or b";" in first else None


def _table(file: BinaryIO, format: str) -> Recognised:
    lines = first_lines(file, format, ROWS_LOOKED_AT)
    columns = column_names(file, format, lines)
    mapping = guess_mapping(columns)
    fits = len(_parsed(lines)) if mapping else 0
    return Recognised(format, mapping, fits, len(lines))


def column_names(file: BinaryIO, format: str, lines: list[Line]) -> list[str]:
    """Of a table; of other files the keys of these rows. Raises BadFile."""
    if format == kinds.PARQUET:
        return parquet.column_names(file)
    return list(dict.fromkeys(key for row in _parsed(lines) for key in row))


def _json_rows(file: BinaryIO) -> Recognised:
    lines = first_lines(file, kinds.CHAT, ROWS_LOOKED_AT)
    rows, n_looked_at = _parsed(lines), len(lines)
    found = Counter(kind for row in rows if (kind := kind_of(row)))
    if found:
        ((kind, n_fitting),) = found.most_common(1)
        return Recognised(kind, {}, n_fitting, n_looked_at)
    mapping = guess_mapping(column_names(file, kinds.CHAT, lines))
    if rows and (reads_columns(mapping) or _are_texts(rows)):
        return Recognised(kinds.COLUMNS, mapping, 0, n_looked_at)
    return Recognised(kinds.CHAT, {}, 0, n_looked_at)


def kind_of(row: dict[str, Any]) -> str | None:
    """What a row is by its keys; None where they say nothing."""
    if isinstance(row.get("input"), dict) or {"chosen", "rejected"} <= row.keys():
        return kinds.DPO
    if "messages" in row:
        return kinds.RFT if _is_task(row) else kinds.CHAT
    if "conversations" in row or "conversation" in row:
        return kinds.SHAREGPT
    if "instruction" in row and "output" in row:
        return kinds.ALPACA
    return kinds.PROMPT_COMPLETION if {"prompt", "completion"} <= row.keys() else None


def _is_task(row: dict[str, Any]) -> bool:
    """A question without an answer, and beside it what a grader needs."""
    messages = row["messages"]
    last = messages[-1] if isinstance(messages, list) and messages else None
    role = last.get("role") if isinstance(last, dict) else None
    further = row.keys() - {"messages", "tools", "parallel_tool_calls", "functions"}
    return role in ("user", "developer", "system") and bool(further)


def _parsed(lines: list[Line]) -> list[dict[str, Any]]:
    """The rows that hold an object."""
    rows = []
    for line in lines:
        with suppress(BadLine):
            rows.append(parse_row(line))
    return rows


def _are_texts(rows: list[dict[str, Any]]) -> bool:
    """Rows that may well be columns of their own: two texts at least in each."""
    return all(sum(isinstance(v, str) for v in row.values()) >= 2 for row in rows)
