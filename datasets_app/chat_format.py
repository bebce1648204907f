"""The chat format of a fine-tuning file: one JSON object a line, one conversation each.

A record is how we keep a row, whatever the file called its parts: `messages`, and
perhaps `tools`, `parallel_tool_calls` and `functions` (the old form of tools); of a DPO
row, whose messages are its input, also `preferred_output` and `non_preferred_output`.
`extra` is what else the row's author wrote: unknown keys of the row by their name;
those of messages as extra["messages"] = {"1": {...}}, counted from 1 as in problems
(of outputs, and of a DPO row's input, likewise under their names).

A line is what a provider reads. `chat_checks` says what may be wrong with a record.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from datasets_app import exact_json
from datasets_app.exact_json import JSONText

MINIMUM_ROWS = 10  # OpenAI refuses a training file with fewer

# What the rows of a file teach, as models.Method has it.
SUPERVISED, DPO, REINFORCEMENT = "supervised", "dpo", "reinforcement"

LINE_KEYS = ("messages", "tools", "parallel_tool_calls", "functions")
OUTPUT_KEYS = ("preferred_output", "non_preferred_output")
RECORD_KEYS = (*LINE_KEYS, *OUTPUT_KEYS, "extra")
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
# Only reinforcement rows may say developer; elsewhere it is called system.
REINFORCEMENT_ROLES = ("developer", *ROLES)
_PLAIN_KEYS = ["role", "content"]
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
    if not isinstance(message, dict) or [*message] == _PLAIN_KEYS:
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
    messages: bytes,
    tools: bytes | None = None,
    parallel_tool_calls: bool | None = None,
    functions: bytes | None = None,
    preferred_output: bytes | None = None,
    non_preferred_output: bytes | None = None,
    extra: bytes | None = None,
) -> bytes:
    """The line of the file, from what `exact_json.dumps` wrote, in UTF-8.

    With outputs it is a DPO line. `extra` is for reinforcement rows alone: their grader
    reads it, while every other training file is refused for an unknown key.
    """
    parts = [b'{"messages":', messages]
    if tools is not None:
        parts += (b',"tools":', tools)
    if parallel_tool_calls is not None:
        value = b"true" if parallel_tool_calls else b"false"
        parts += (b',"parallel_tool_calls":', value)
    if functions is not None:
        parts += (b',"functions":', functions)
    if extra is not None:
        parts += _further_parts(extra)
    parts.append(b"}")
    if preferred_output is not None or non_preferred_output is not None:
        parts.insert(0, b'{"input":')
        parts += (b',"preferred_output":', preferred_output or b"null")
        parts += (b',"non_preferred_output":', non_preferred_output or b"null", b"}")
    return b"".join(parts)


def _further_parts(extra: bytes) -> Iterator[bytes]:
    """Of the row itself; what belongs to messages is under a record's own keys."""
    value = exact_json.loads(extra)
    for key, each in value.items() if isinstance(value, dict) else ():
        if key not in RECORD_KEYS:
            yield from (b",", exact_json.dump_bytes(key))
            yield from (b":", exact_json.dump_bytes(each))


def canonical_line(record: dict[str, Any], method: str = SUPERVISED) -> str:
    """A valid record as it is frozen: the same content always gives the same bytes."""
    return line_of(*in_utf8(line_columns(record, method))).decode()


def line_columns(
    record: dict[str, Any], method: str = SUPERVISED
) -> tuple[
    JSONText,
    JSONText | None,
    Any,
    JSONText | None,
    JSONText | None,
    JSONText | None,
    JSONText | None,
]:
    """What `line_of` takes in UTF-8: the canonical JSON of each part of a record."""
    return (
        exact_json.dumps(canonical_messages(record.get("messages"))),
        optional_text(record.get("tools")),
        record.get("parallel_tool_calls"),
        optional_text(record.get("functions")),
        optional_text(canonical_messages(record.get("preferred_output"))),
        optional_text(canonical_messages(record.get("non_preferred_output"))),
        optional_text(record.get("extra")) if method == REINFORCEMENT else None,
    )


def in_utf8(columns: Iterable[Any]) -> Iterator[Any]:
    return (each.encode() if isinstance(each, str) else each for each in columns)


def all_messages(record: dict[str, Any]) -> Any:
    """The messages; of a DPO row with both outputs behind them.

    That is how messages are counted in problems: of a row with two messages, the
    preferred output is message 3, the other one message 4.
    """
    messages = record.get("messages")
    if not any(key in record for key in OUTPUT_KEYS):
        return messages
    parts = [messages, *(record.get(key) for key in OUTPUT_KEYS)]
    return [each for part in parts if isinstance(part, list) for each in part]


def optional_text(value: Any) -> JSONText | None:
    return None if value is None else exact_json.dumps(value)


def content_hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


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


def plain_texts(record: dict[str, Any]) -> list[str] | None:
    """The texts of a record that has nothing but messages of a role and a text, its
    keys in their order; None of any other.

    Nearly every record is this simple, and imports read millions of them.
    """
    messages = record.get("messages")
    if len(record) != 1 or type(messages) is not list:
        return None
    texts = []
    for message in messages:
        if type(message) is not dict or [*message] != _PLAIN_KEYS:
            return None
        content = message["content"]
        if type(content) is not str:
            return None
        texts.append(content)
    return texts


def preview(messages: Any, role: str, *, last: bool = False) -> str:
    """The first (or last) text that `role` says."""
    turns = messages if isinstance(messages, list) else []
    for message in reversed(turns) if last else turns:
        if isinstance(message, dict) and message.get("role") == role:
            return " ".join(texts_of(message))
    return ""


def question_and_answer(record: dict[str, Any], length: int) -> tuple[str, str]:
    """What is asked first and answered last, each of at most `length` characters.

    Of a preference the answer is the better one.
    """
    parts = (record.get("messages"), record.get("preferred_output"))
    turns = [turn for part in parts if isinstance(part, list) for turn in part]
    asked, said = preview(turns, "user"), preview(turns, "assistant", last=True)
    return asked[:length], said[:length]
