"""What one message of a conversation may hold, as OpenAI's training files have it."""

from collections.abc import Iterator
from typing import Any

from tuning_server_app.training_files.tool_rules import (
    control_tokens,
    is_function_name,
    problems_of_calls,
)

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
    yield from problems_of_calls(message)
    yield from _problems_of_names(message)


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
        for token in list(control_tokens(text))[:1]:
            yield f"contains the control token {token}."


def _problems_of_names(message: dict[str, Any]) -> Iterator[str]:
    role, name = message["role"], message.get("name")
    call_id = message.get("tool_call_id")
    if role == "tool" and not (isinstance(call_id, str) and call_id):
        yield 'is missing "tool_call_id".'
    if role == "function" and not is_function_name(name):
        yield 'is missing "name", that of the function which answers.'
    elif not isinstance(name, str | None):
        yield 'has a "name" that is not text.'
    for token in list(control_tokens(name))[:1]:
        yield f'contains the control token {token} in its "name".'


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
