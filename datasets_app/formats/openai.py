"""OpenAI's own rows: chats, preferences (DPO), tasks for a grader (RFT).

Keys that the format does not know are no fault of a row: they are kept in `extra` (see
`chat_format`), where a person sees them and no provider trips over them.
"""

from typing import Any

from datasets_app.chat_format import (
    DPO,
    LINE_KEYS,
    MESSAGE_KEYS,
    OUTPUT_KEYS,
    SUPERVISED,
)
from datasets_app.jsonl import BadLine

# Providers refuse a weight on the row, and who wrote it meant something by it.
KEPT_TO_BE_REFUSED = ("weight", *OUTPUT_KEYS)
INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")
OLD_OUTPUT_KEYS = {
    "preferred_output": "preferred_completion",
    "non_preferred_output": "non_preferred_completion",
}


def chat_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of a chat to learn. Raises BadLine."""
    if "messages" not in row and isinstance(row.get("input"), dict):
        raise BadLine("other_method", found=DPO, wanted=SUPERVISED)
    if len(row) == 1 and "messages" in row and _are_plain(row["messages"]):
        return row
    known = (*LINE_KEYS, *KEPT_TO_BE_REFUSED)
    record, extra = _split(row, known)
    _tidy(record, "messages", extra)
    return _with_extra(record, extra)


def task_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of a task whose answers a grader scores: it reads all the other keys."""
    record, extra = _split(row, LINE_KEYS)
    _tidy(record, "messages", extra, may_have_developer=True)
    return _with_extra(record, extra)


def preference_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of a better and a worse answer. Raises BadLine."""
    given = row.get("input")
    if not isinstance(given, dict):
        if "messages" in row:
            raise BadLine("other_method", found=SUPERVISED, wanted=DPO)
        raise BadLine("no_input")
    outputs, extra = _outputs(row)
    record, further = _split(given, INPUT_KEYS)
    if further:
        extra["input"] = further
    record |= outputs
    for key in ("messages", *OUTPUT_KEYS):
        _tidy(record, key, extra)
    return _with_extra(record, extra)


def _outputs(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both outputs, None where there is none, and the keys that are left."""
    names = {key: key if key in row else old for key, old in OLD_OUTPUT_KEYS.items()}
    outputs = {key: row.get(name) for key, name in names.items()}
    taken = {"input", *names.values()}
    return outputs, {key: each for key, each in row.items() if key not in taken}


def _are_plain(messages: Any) -> bool:
    """Nothing but roles and contents, as of nearly every row."""
    return type(messages) is list and all(
        type(message) is dict
        and len(message) == 2
        and "content" in message
        and message.get("role", "developer") != "developer"
        for message in messages
    )


def _split(
    row: dict[str, Any], known: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    record = {key: row[key] for key in known if key in row}
    return record, {key: each for key, each in row.items() if key not in known}


def _with_extra(record: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {**record, "extra": extra} if extra else record


def _tidy(
    record: dict[str, Any],
    key: str,
    extra: dict[str, Any],
    *,
    may_have_developer: bool = False,
) -> None:
    """Move what the format does not know of messages to `extra`, by their number."""
    messages = record.get(key)
    if not isinstance(messages, list):
        return
    notes: dict[str, dict[str, Any]] = {}
    tidy = []
    for number, message in enumerate(messages, start=1):
        note: dict[str, Any] = {}
        tidy.append(_tidy_message(message, note, may_have_developer))
        if note:
            notes[str(number)] = note
    record[key] = tidy
    if notes:
        extra[key] = notes


def _tidy_message(message: Any, note: dict[str, Any], may_have_developer: bool) -> Any:
    if not isinstance(message, dict):
        return message
    note.update((k, each) for k, each in message.items() if k not in MESSAGE_KEYS)
    kept = {k: each for k, each in message.items() if k in MESSAGE_KEYS}
    if kept.get("role") == "developer" and not may_have_developer:
        # The newer word for the same thing, which only tasks for a grader may use.
        note["role"] = "developer"
        kept["role"] = "system"
    return kept
