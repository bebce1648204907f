"""What one message of a conversation may hold, as OpenAI's training files have it."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

MESSAGE_KEYS = {
    "role",
    "content",
    "name",
    "weight",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
}
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# What a tokenizer takes for a token of its own would end the message early.
CONTROL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]+\|>")


def problems_of_message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "is not a JSON object."
        return
    for key in sorted(message.keys() - MESSAGE_KEYS):
        yield f'contains an extra key "{key[:50]}".'
    role = message.get("role")
    if role not in ROLES:
        yield f"has the role {str(role)[:50]!r}; known are {', '.join(ROLES)}."
        return
    if message.get("weight") is not None:
        yield from _problems_of_weight(role, message["weight"])
    yield from _problems_of_content(message)
    yield from _problems_of_calls(message)
    if role == "tool" and not message.get("tool_call_id"):
        yield 'is missing "tool_call_id".'


def _problems_of_weight(role: str, weight: object) -> Iterator[str]:
    if role != "assistant":
        yield 'has a "weight", which only assistant messages may have.'
    elif weight not in (0, 1) or isinstance(weight, bool):
        yield 'has a "weight" that is neither 0 nor 1.'


def _problems_of_content(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content")
    is_call = message["role"] == "assistant" and (
        message.get("tool_calls") or message.get("function_call")
    )
    if content is None and is_call:
        return
    text = _text(content)
    if text is None:
        yield "has no text content; this server trains on text only."
    elif not text.strip() and not is_call:
        yield "has empty content."
    else:
        for token in CONTROL_TOKEN.findall(text)[:1]:
            yield f"contains the control token {token}."


def _problems_of_calls(message: dict[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if message["role"] != "assistant" or not isinstance(calls, list):
        yield 'has "tool_calls" that are no list in an assistant message.'
        return
    for call in calls:
        if not _is_call(call):
            yield (
                "has a tool call without a function name, or whose arguments are no"
                " string of JSON."
            )


def _text(content: object) -> str | None:
    """The content as one string: a string as it is, or the text parts of a list."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [
        part.get("text")
        if isinstance(part, dict) and part.get("type") == "text"
        else None
        for part in parts
    ]
    if not all(isinstance(text, str) for text in texts):
        return None
    return "".join(str(text) for text in texts)


def _is_call(call: Any) -> bool:
    try:
        orjson.loads(call["function"]["arguments"])
        return bool(call["function"]["name"])
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return False
