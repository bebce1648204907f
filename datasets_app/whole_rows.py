"""A row as one JSON object, as a file would hold it with all its further keys.

What a person edits under “the whole row as JSON” goes out and comes back here.
"""

from typing import Any

from datasets_app import exact_json
from datasets_app.chat_format import (
    OUTPUT_KEYS,
    RECORD_KEYS,
    REINFORCEMENT,
    SUPERVISED,
    canonical_messages,
)
from datasets_app.exports.lines import line_with_extra
from datasets_app.exports.rows import row_of
from datasets_app.formats.openai import chat_record, preference_record, task_record
from datasets_app.jsonl import BadLine, parse_object

TURNS = ("messages", *OUTPUT_KEYS)


def whole_text(record: dict[str, Any], method: str = SUPERVISED) -> str:
    """The row to read and to edit.

    Raises BadLine where something would be lost that only the single fields can hold.
    """
    row = row_of(record, REINFORCEMENT)  # that is: with `extra`
    text = exact_json.pretty(exact_json.loads(line_with_extra(row)))
    if _parts(record_of(text, method)) != _parts(record):
        raise BadLine("no_whole_row")
    return text


def record_of(text: str, method: str = SUPERVISED) -> dict[str, Any]:
    """The record that the text says. Raises BadLine."""
    row = parse_object(text.strip().encode(errors="surrogatepass"))
    record = _converted(row, method)
    unknown = next((key for key in record if key not in RECORD_KEYS), None)
    if unknown is not None:
        raise BadLine("extra_key", key=unknown[:100])
    if not isinstance(record.get("parallel_tool_calls"), bool | None):
        raise BadLine("parallel_not_boolean")
    return record


def _converted(row: dict[str, Any], method: str) -> dict[str, Any]:
    """The row's own keys say whether it is a preference; its dataset says the rest."""
    if isinstance(row.get("input"), dict) and "messages" not in row:
        return preference_record(row)
    return task_record(row) if method == REINFORCEMENT else chat_record(row)


def _parts(record: dict[str, Any]) -> dict[str, str]:
    """Canonical JSON of each part that is there: equal if the records are."""
    return {
        key: exact_json.dumps(canonical_messages(value) if key in TURNS else value)
        for key in RECORD_KEYS
        if (value := record.get(key)) is not None
    }
