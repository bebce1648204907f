"""CSV and TSV, row by row, as spreadsheets write them."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson

from datasets_app.jsonl import (
    BOM,
    MAX_BLANK_LINES,
    MAX_LINE_BYTES,
    BadFile,
    Line,
    Problem,
)
from teams_app.csv_cells import untame

MAX_COLUMNS = 1_000
MAX_MARKS = 1_000_000  # delimiters in a line: more cells than anybody meant
KOREAN = "cp949"  # what Korean spreadsheets write as plain "CSV"
csv.field_size_limit(MAX_LINE_BYTES)


def encoding_of(head: bytes) -> str:
    """UTF-8 if it can be, else what Korean spreadsheets write."""
    for encoding in ("utf-8", KOREAN):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"


def delimiter_of(head: bytes, *, is_tsv: bool) -> str:
    """Where a comma stands in numbers, spreadsheets put semicolons between cells."""
    if is_tsv:
        return "\t"
    first = head.split(b"\n", 1)[0]
    return ";" if first.count(b";") > first.count(b",") else ","


def read_table(
    stream: BinaryIO,
    head: bytes,
    position: Callable[[], int],
    *,
    is_tsv: bool = False,
    number: int = 1,
) -> Iterator[Line]:
    """The rows behind row `number`, as a spreadsheet counts them: 1 is the headings.

    The data of a row is a JSON object of its cells by their headings. Raises BadFile.
    """
    delimiter = delimiter_of(head, is_tsv=is_tsv)
    rows = _Rows(stream, encoding_of(head), delimiter)
    names = _headings(rows)
    last = number
    for n, (cells, problem) in enumerate(rows, start=2):
        if n - last > MAX_BLANK_LINES:
            raise BadFile("blank_lines", limit=MAX_BLANK_LINES, number=n)
        if n <= number or not (problem or any(cells)):
            continue
        last = n
        if problem is None and len(cells) > len(names):
            params = {"found": len(cells), "expected": len(names)}
            problem = Problem("too_many_cells", params=params)
        row = dict(zip(names, map(untame, cells), strict=False))
        yield Line(n, position(), orjson.dumps(row), problem=problem)


def _headings(rows: "_Rows") -> list[str]:
    """A name for each column. One that is missing or comes twice is told apart."""
    cells, problem = next(iter(rows), ([], None))
    if problem is not None:
        raise BadFile(problem.code, **problem.params)
    if len(cells) > MAX_COLUMNS:
        raise BadFile("too_many_columns", found=len(cells), limit=MAX_COLUMNS)
    if not any(cells):
        raise BadFile("no_headings")
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {number}"
        names[name if name not in names else f"{name} ({number})"] = None
    return list(names)


class _TooLong(Exception):
    pass


class _Rows:
    """(cells, problem) of each row, headings too. A bad row spoils no other one."""

    def __init__(self, stream: BinaryIO, encoding: str, delimiter: str) -> None:
        self.stream, self.encoding, self.delimiter = stream, encoding, delimiter
        self.n_bytes = 0  # of the row so far: a cell may go on over many lines
        self.problem: Problem | None = None
        self.is_first_line = True
        self._rows = self._anew()

    def _anew(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self.delimiter, strict=True)

    def __iter__(self) -> Iterator[tuple[list[str], Problem | None]]:
        while True:
            self.n_bytes, self.problem = 0, None
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as exc:
                yield [], self.problem or Problem("bad_csv", params=_detail(exc))
                self._rows = self._anew()
            except _TooLong:
                yield [], self.problem
                self._rows = self._anew()
            else:
                yield cells, self.problem

    def _lines(self) -> Iterator[str]:
        while data := self.stream.readline(MAX_LINE_BYTES + 2):
            self.n_bytes += len(data)
            if self.n_bytes > MAX_LINE_BYTES:
                self._skip_line(data)
                limit_mb = MAX_LINE_BYTES // 1024**2
                self._blame("row_too_long", limit_mb=limit_mb)
                raise _TooLong
            if data.count(self.delimiter.encode()) > MAX_MARKS:
                self._blame("too_many_marks", limit=MAX_MARKS)
                raise _TooLong
            if self.is_first_line:
                data = data.removeprefix(BOM)
                self.is_first_line = False
            yield self._decode(data)

    def _skip_line(self, data: bytes) -> None:
        while data and not data.endswith(b"\n"):
            data = self.stream.readline(io.DEFAULT_BUFFER_SIZE * 128)

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode(self.encoding)
        except UnicodeDecodeError as exc:
            self._blame("not_utf8", byte=exc.start + 1)
            return data.decode(self.encoding, "replace")

    def _blame(self, code: str, **params: object) -> None:
        self.problem = self.problem or Problem(code, params=params)


def _detail(error: csv.Error) -> dict[str, object]:
    return {"detail": str(error)[:200]}
