"""The formats that rows can leave in. `export_texts` has the words for each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from datasets_app.chat_format import DPO, REINFORCEMENT, SUPERVISED
from datasets_app.exports import lines, parquet, tables
from datasets_app.exports.rows import DoesNotFit, Row, Tally
from teams_app.csv_cells import csv_line

PIECE_BYTES = 64 * 1024
BOM = "\ufeff"  # spreadsheets read a file as UTF-8 only so

T = TypeVar("T")
Writer = Callable[[Iterable[Row], Tally], Iterator[bytes]]
Fit = Callable[[Row], object]


@dataclass(frozen=True, slots=True)
class Format:
    """One format, and which rows it is offered for.

    `fit` turns a row into its form or raises DoesNotFit; `takes_extra`: it keeps what
    else the row's author wrote.
    """

    key: str
    ending: str
    content_type: str
    methods: tuple[str, ...]
    fit: Fit
    writer: Writer
    takes_extra: bool = False


def write(format: Format, rows: Iterable[Row], tally: Tally) -> Iterator[bytes]:
    """The file, a piece at a time; `tally` is complete at its end."""
    return format.writer(rows, tally)


def _pieces(lines: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    """As many lines together as are worth a write, each with the line's end."""
    waiting: list[bytes] = []
    n_bytes = 0
    for line in lines:
        waiting.append(line)
        n_bytes += len(line)
        if n_bytes >= PIECE_BYTES:
            yield end.join(waiting) + end
            waiting, n_bytes = [], 0
    if waiting:
        yield end.join(waiting) + end


def _fitting(rows: Iterable[Row], tally: Tally, fit: Callable[[Row], T]) -> Iterator[T]:
    for row in rows:
        try:
            form = fit(row)
        except DoesNotFit as exc:
            tally.left_out[exc.reason] += 1
        else:
            tally.n_written += 1
            yield form


def _jsonl(
    key: str,
    fit: Callable[[Row], bytes],
    methods: tuple[str, ...],
    *,
    takes_extra: bool = False,
) -> Format:
    def writer(rows: Iterable[Row], tally: Tally) -> Iterator[bytes]:
        return _pieces(_fitting(rows, tally, fit), b"\n")

    kind = "application/jsonl"
    return Format(key, "jsonl", kind, methods, fit, writer, takes_extra)


def _csv(
    key: str, fit: Callable[[Row], list[str]], columns: tuple[str, ...], method: str
) -> Format:
    def lines(rows: Iterable[Row], tally: Tally) -> Iterator[bytes]:
        yield (BOM + csv_line([*columns])).encode()
        for cells in _fitting(rows, tally, fit):
            yield csv_line(cells).encode()

    def writer(rows: Iterable[Row], tally: Tally) -> Iterator[bytes]:
        return _pieces(lines(rows, tally), b"")

    return Format(key, "csv", "text/csv; charset=utf-8", (method,), fit, writer)


def _parquet(
    key: str, fit: parquet.ToColumns, schema: Callable[[], object], method: str
) -> Format:
    def writer(rows: Iterable[Row], tally: Tally) -> Iterator[bytes]:
        return parquet.write_parquet(_fitting(rows, tally, fit), schema())

    kind = "application/vnd.apache.parquet"
    return Format(key, "parquet", kind, (method,), fit, writer)


EVERY_METHOD = (SUPERVISED, DPO, REINFORCEMENT)
FORMATS = {
    format.key: format
    for format in (
        _jsonl("openai", lines.openai_line, (SUPERVISED, REINFORCEMENT)),
        _jsonl("dpo", lines.dpo_line, (DPO,)),
        _jsonl("whole", lines.whole_line, EVERY_METHOD, takes_extra=True),
        _jsonl("sharegpt", lines.sharegpt_line, (SUPERVISED,)),
        _jsonl("alpaca", lines.alpaca_line, (SUPERVISED,)),
        _csv("csv", tables.question_cells, tables.QUESTION_COLUMNS, SUPERVISED),
        _csv(
            "csv-conversations",
            tables.conversation_cells,
            tables.CONVERSATION_COLUMNS,
            SUPERVISED,
        ),
        _csv("csv-dpo", tables.preference_cells, tables.PREFERENCE_COLUMNS, DPO),
        _parquet("parquet", parquet.chat_columns, parquet.chat_schema, SUPERVISED),
        _parquet(
            "parquet-dpo", parquet.preference_columns, parquet.preference_schema, DPO
        ),
    )
}
