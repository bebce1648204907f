"""The chat format of a fine-tuning file: one JSON object a line, one conversation each.

A record is that object: `messages`, and perhaps `tools`, `parallel_tool_calls` and
`functions` (the old form of tools). `chat_checks` says what may be wrong with one.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from datasets_app import exact_json
from datasets_app.exact_json import JSONText

MINIMUM_ROWS = 10  # OpenAI refuses a training file with fewer

RECORD_KEYS = ("messages", "tools", "parallel_tool_calls", "functions")
MESSAGE_KEYS = (
    "role",
    "content",
    "name",
    "weight",
    "tool_calls",
    "tool_call_id",
    "function_call",
)
ROLES = ("system", "user", "assistant", "tool", "function")
TOOL_CALL_KEYS = ("id", "type", "function")
FUNCTION_CALL_KEYS = ("name", "arguments")


def canonical_messages(messages: Any) -> Any:
    """The same messages with their keys in OpenAI's order, and without needless nulls.

    What is no list of messages, or no known key, is kept as it is for its author.
    """
    if not isinstance(messages, list):
        return messages
    return [_canonical_message(message) for message in messages]


def _canonical_message(message: Any) -> Any:
    if not isinstance(message, dict) or [*message] == ["role", "content"]:
        return message
    ordered = {
        key: message[key]
        for key in MESSAGE_KEYS
        if key in message and (message[key] is not None or key == "content")
    }
    if isinstance(ordered.get("tool_calls"), list):
        ordered["tool_calls"] = [
            _canonical_call(call) for call in ordered["tool_calls"]
        ]
    ordered.update((k, v) for k, v in message.items() if k not in MESSAGE_KEYS)
    return ordered


def _canonical_call(call: Any) -> Any:
    call = _in_order(call, TOOL_CALL_KEYS)
    if isinstance(call, dict) and "function" in call:
        call["function"] = _in_order(call["function"], FUNCTION_CALL_KEYS)
    return call


def _in_order(value: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        return value
    ordered = {key: value[key] for key in keys if key in value}
    ordered.update((k, v) for k, v in value.items() if k not in keys)
    return ordered


def line_of(
    messages: str,
    tools: str | None = None,
    parallel_tool_calls: bool | None = None,
    functions: str | None = None,
) -> str:
    """The line of the file, from texts that `exact_json.dumps` wrote."""
    parts = [f'"messages":{messages}']
    if tools is not None:
        parts.append(f'"tools":{tools}')
    if parallel_tool_calls is not None:
        parts.append(
            f'"parallel_tool_calls":{"true" if parallel_tool_calls else "false"}'
        )
    if functions is not None:
        parts.append(f'"functions":{functions}')
    return "{" + ",".join(parts) + "}"


def canonical_line(record: dict[str, Any]) -> str:
    """A valid record as it is frozen: the same content always gives the same bytes."""
    messages = exact_json.dumps(canonical_messages(record["messages"]))
    return line_of(
        messages,
        optional_text(record.get("tools")),
        record.get("parallel_tool_calls"),
        optional_text(record.get("functions")),
    )


def optional_text(value: Any) -> JSONText | None:
    return None if value is None else exact_json.dumps(value)


def content_hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def texts_of(message: Any) -> Iterator[str]:
    """Whatever of a message a person or the model reads as text."""
    if not isinstance(message, dict):
        return
    content = message.get("content")
    if isinstance(content, str):
        yield content
    elif content:
        yield from _part_texts(content)
    if message.keys() - {"role", "content"}:
        yield from _other_texts(message)


def _part_texts(parts: Any) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def _other_texts(message: dict[str, Any]) -> Iterator[str]:
    if isinstance(message.get("name"), str):
        yield message["name"]
    calls = message.get("tool_calls")
    functions = [
        call.get("function")
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, dict)
    ]
    for function in [*functions, message.get("function_call")]:
        if isinstance(function, dict):
            yield from (v for v in function.values() if isinstance(v, str))


def all_texts(messages: Any) -> list[str]:
    """The texts of a conversation, one message after the other."""
    texts: list[str] = []
    for message in messages if isinstance(messages, list) else ():
        # Nearly every message is this simple, and imports read millions of them.
        if type(message) is dict and len(message) == 2:
            content = message.get("content")
            if type(content) is str:
                texts.append(content)
                continue
        texts += texts_of(message)
    return texts


def preview(messages: Any, role: str, *, last: bool = False) -> str:
    """The first (or last) text that `role` says."""
    turns = messages if isinstance(messages, list) else []
    for message in reversed(turns) if last else turns:
        if isinstance(message, dict) and message.get("role") == role:
            return " ".join(texts_of(message))
    return ""
