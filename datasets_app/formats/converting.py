"""From a row as the file has it to a record as we keep it."""

from typing import Any

from datasets_app.jsonl import MAX_LINE_BYTES, BadLine, Line, parse_object


def to_record(
    line: Line, format: str, mapping: dict[str, str] | None = None
) -> dict[str, Any]:
    """The record (see `chat_format`) that a row says. Raises BadLine."""
    if line.problem is not None:
        raise BadLine(line.problem.code, **line.problem.params)
    if line.is_too_long:
        raise BadLine("too_long", limit_mb=MAX_LINE_BYTES // 1024**2)
    return parse_object(line.data)
