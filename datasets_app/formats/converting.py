"""From a row as the file has it to a record as we keep it."""

from collections.abc import Callable, Mapping
from typing import Any

from datasets_app.formats import beside, kinds
from datasets_app.formats.columns import (
    columns_record,
    guess_mapping,
    reads_columns,
    with_parsed_cells,
)
from datasets_app.formats.openai import chat_record, preference_record, task_record
from datasets_app.formats.pairs import alpaca_record, chosen_record, prompt_record
from datasets_app.formats.sharegpt import sharegpt_record
from datasets_app.jsonl import MAX_LINE_BYTES, BadLine, Line, parse_object

Record = dict[str, Any]


def _any_preference_record(row: dict[str, Any]) -> Record:
    is_chosen = "chosen" in row and not isinstance(row.get("input"), dict)
    return chosen_record(row) if is_chosen else preference_record(row)


CONVERTERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    kinds.CHAT: chat_record,
    kinds.DPO: _any_preference_record,
    kinds.RFT: task_record,
    kinds.PROMPT_COMPLETION: prompt_record,
    kinds.SHAREGPT: sharegpt_record,
    kinds.ALPACA: alpaca_record,
}


def to_record(
    line: Line, format: str, mapping: Mapping[str, str] | None = None
) -> Record:
    """The record (see `chat_format`) that a row says. Raises BadLine.

    Args:
        mapping: of a table, what its columns are; see `columns`.
    """
    return convert(parse_row(line), format, mapping)


def parse_row(line: Line) -> dict[str, Any]:
    """The keys and values of a row as the file has them. Raises BadLine."""
    if line.problem is not None:
        raise BadLine(line.problem.code, **line.problem.params)
    if line.is_too_long:
        raise BadLine("too_long", limit_mb=MAX_LINE_BYTES // 1024**2)
    return parse_object(line.data)


def convert(
    row: dict[str, Any], format: str, mapping: Mapping[str, str] | None = None
) -> Record:
    """Raises BadLine."""
    if format not in kinds.TABLES:
        return CONVERTERS[format](row)
    mapping = mapping or guess_mapping(list(row))
    row, images = beside.take_images(row, mapping)
    return beside.with_images(_table_record(row, mapping), images)


def _table_record(row: dict[str, Any], mapping: Mapping[str, str]) -> Record:
    if reads_columns(mapping):
        return columns_record(row, mapping)
    return CONVERTERS[mapping.get("kind", kinds.CHAT)](with_parsed_cells(row))


def tags_of(
    line: Line, format: str, mapping: Mapping[str, str] | None = None
) -> list[str]:
    """The tags that a row of a table has beside its record. Raises BadLine."""
    if format not in kinds.TABLES or (mapping and beside.TAGS not in mapping):
        return []  # of the many files without tags no row is read twice
    row = parse_row(line)
    return beside.tags_of(row, mapping or guess_mapping(list(row)))
