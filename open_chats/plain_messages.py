"""The messages of OpenAI's chat format, reduced to what a chat template reads."""

import json
from collections.abc import Sequence
from typing import Any

# The template of an open model knows four roles; the newer and the deprecated names
# for two of them mean the same.
TEMPLATE_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


class UnusableMessage(Exception):
    """A message that no open text model can read; the text says which and why."""


def plain_messages(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each message with a known role and its content as one string.

    Raises:
        UnusableMessage: unknown role, or content that is no text.
    """
    return [_plain(number, message) for number, message in enumerate(messages, start=1)]


def _plain(number: int, message: dict[str, Any]) -> dict[str, Any]:
    role = message.get("role")
    if not isinstance(role, str) or role not in TEMPLATE_ROLES:
        raise UnusableMessage(
            f"Message {number} has the role {role!r}."
            f" Known roles are {', '.join(TEMPLATE_ROLES)}."
        )
    plain: dict[str, Any] = {
        "role": TEMPLATE_ROLES[role],
        "content": _text(number, message.get("content")),
    }
    calls = _tool_calls(number, message)
    if calls:
        plain["tool_calls"] = calls
    if message.get("weight") is not None:
        plain["weight"] = message["weight"]
    return plain


def _text(number: int, content: object) -> str:
    """Content is a string, null beside tool calls, or a list of text parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        return "".join(part["text"] for part in content)
    raise UnusableMessage(
        f"Message {number} has content that is not text."
        " Open text models read text only: remove images, sound and files."
    )


def _is_text_part(part: object) -> bool:
    return (
        isinstance(part, dict)
        and part.get("type") == "text"
        and isinstance(part.get("text"), str)
    )


def _tool_calls(number: int, message: dict[str, Any]) -> list[dict[str, Any]]:
    """Calls with their arguments as an object, which is what chat templates print."""
    calls = [
        call.get("function") if isinstance(call, dict) else None
        for call in _listed(message.get("tool_calls"))
    ]
    if message.get("function_call"):  # the deprecated form of a single call
        calls.append(message["function_call"])
    return [
        {"type": "function", "function": _function(number, function)}
        for function in calls
    ]


def _listed(calls: Any) -> list[Any]:
    """A list as it is; anything else stands for one call that cannot be read."""
    return calls if isinstance(calls, list) else [calls] if calls else []


def json_of(text: str) -> Any:
    """The arguments of a call, which a template writes as JSON again.

    Raises:
        ValueError: it is no JSON, or holds half a character.
        RecursionError: it is nested too deeply.
    """
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _function(number: int, function: Any) -> dict[str, Any]:
    try:
        name, arguments = function["name"], json_of(function["arguments"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unusable_call(number) from error
    if not isinstance(name, str) or not name:
        raise _unusable_call(number)
    return {"name": name, "arguments": arguments}


def _unusable_call(number: int) -> UnusableMessage:
    return UnusableMessage(
        f"Message {number} has a tool call without a name, or whose arguments are"
        " not a string of JSON."
    )
