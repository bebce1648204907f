"""Formats of one JSON object a line."""

from collections.abc import Container
from typing import Any

from datasets_app import exact_json
from datasets_app.chat_format import LINE_KEYS, MESSAGE_KEYS, OUTPUT_KEYS
from datasets_app.exports.rows import (
    DoesNotFit,
    Row,
    is_plain,
    spoken,
    text_of,
    turns_of,
)

SHAREGPT_ROLES = {
    "system": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
}


def openai_line(row: Row) -> bytes:
    """As a provider gets it: the same content is always the same bytes."""
    return row.line


def dpo_line(row: Row) -> bytes:
    if not row.is_preference:
        raise DoesNotFit("no_preference")
    return row.line


def whole_line(row: Row) -> bytes:
    return line_with_extra(row)


def line_with_extra(row: Row) -> bytes:
    """With all that the file said which the row came from, at its old place."""
    if row.extra is None:
        return row.line
    further = exact_json.loads(row.extra)
    if not isinstance(further, dict):
        return row._replace(extra=None).line
    line: dict[str, Any] = exact_json.loads(row._replace(extra=None).line)
    given = line["input"] if "preferred_output" in line else line
    places = {"messages": given["messages"]}
    if given is not line:
        places |= {key: line[key] for key in OUTPUT_KEYS}
        _add(given, further.pop("input", None), LINE_KEYS)
    for key, messages in places.items():
        _put_back(messages, further.pop(key, None))
    _add(line, further, LINE_KEYS)
    return exact_json.dump_bytes(line)


def _add(given: dict[str, Any], further: Any, known: Container[str]) -> None:
    """Further keys only: none takes the place of what was reviewed."""
    for key, value in _as_dict(further).items():
        if key not in known:
            given.setdefault(key, value)


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _put_back(messages: Any, notes: Any) -> None:
    """Notes are {"1": {key: value}}, by the number of the message."""
    if not isinstance(messages, list):
        return
    for number, message in enumerate(messages, start=1):
        if isinstance(message, dict):
            note = _as_dict(_as_dict(notes).get(str(number)))
            if message.get("role") == "system" and note.get("role") == "developer":
                message["role"] = "developer"  # the same by its newer name
            _add(message, note, MESSAGE_KEYS)


def sharegpt_line(row: Row) -> bytes:
    """`conversations` of from and value; `system` beside them, tools as a text."""
    if row.functions:
        raise DoesNotFit("tools")
    messages = turns_of(row)
    line: dict[str, Any] = {}
    if is_plain(messages[0]) and messages[0]["role"] == "system":
        line["system"] = messages.pop(0)["content"]
    line["conversations"] = [_sharegpt_turn(message) for message in messages]
    if row.tools:
        line["tools"] = row.tools.decode()
    if row.parallel_tool_calls is not None:
        line["parallel_tool_calls"] = row.parallel_tool_calls
    return exact_json.dump_bytes(line)


def _sharegpt_turn(message: dict[str, Any]) -> dict[str, Any]:
    if message["role"] not in SHAREGPT_ROLES:
        raise DoesNotFit("roles")
    if is_plain(message):
        return {"from": SHAREGPT_ROLES[message["role"]], "value": message["content"]}
    marks: dict[str, Any] = {
        key: message[key] for key in ("name", "weight") if key in message
    }
    if calls := message.get("tool_calls"):
        if message.get("content"):
            raise DoesNotFit("calls_and_text")
        return {"from": "function_call", "value": _called(calls), **marks}
    return {"from": SHAREGPT_ROLES[message["role"]], "value": text_of(message), **marks}


def _called(calls: Any) -> str:
    """One call as an object, several as a list; the ids have no place."""
    try:
        found = [
            {
                "name": call["function"]["name"],
                "arguments": exact_json.loads(call["function"]["arguments"]),
            }
            for call in calls
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise DoesNotFit("shape") from exc
    return exact_json.dumps(found[0] if len(found) == 1 else found)


def alpaca_line(row: Row) -> bytes:
    """instruction, input and output of the last turn; the earlier ones are history."""
    turns = list(spoken(row))
    system = turns.pop(0)[1] if turns[0][0] == "system" else ""
    roles = [role for role, _text in turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise DoesNotFit("turns")
    texts = [text for _role, text in turns]
    line: dict[str, Any] = {"instruction": texts[-2], "input": "", "output": texts[-1]}
    if system:
        line["system"] = system
    if len(texts) > 2:
        pairs = zip(texts[:-2:2], texts[1:-2:2], strict=True)
        line["history"] = [list(pair) for pair in pairs]
    return exact_json.dump_bytes(line)
