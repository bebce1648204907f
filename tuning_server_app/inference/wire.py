"""OpenAI's chat completion objects."""

import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from open_chats.tool_text import parse_tool_calls
from tuning_server_app.inference.writing import Delta

Wire = dict[str, Any]


class Envelope:
    """What all objects of one answer share."""

    def __init__(self, model: str) -> None:
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._model = model

    def completion(self, choices: list[Wire], usage: Wire) -> Wire:
        return {**self._head("chat.completion"), "choices": choices, "usage": usage}

    def chunk(self, choices: list[Wire], usage: Wire | None = None) -> Wire:
        return {
            **self._head("chat.completion.chunk"),
            "choices": choices,
            "usage": usage,
        }

    def _head(self, kind: str) -> Wire:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
        }


def usage(prompt_tokens: int, completion_tokens: int) -> Wire:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def whole_choice(index: int, text: str, reason: str, *, has_tools: bool) -> Wire:
    content, calls = spoken_and_called(text, has_tools=has_tools)
    message: Wire = {"role": "assistant", "content": content, "refusal": None}
    if calls:
        message["tool_calls"] = calls
        reason = "tool_calls"
    return {
        "index": index,
        "message": message,
        "finish_reason": reason,
        "logprobs": None,
    }


def chunk_choices(delta: Delta, *, has_tools: bool) -> Iterator[Wire]:
    """The text of a delta, and, when it is the last of its choice, the end."""
    text, calls = spoken_and_called(delta.text, has_tools=has_tools)
    if text:
        yield chunk_choice(delta.index, {"content": text})
    if calls:
        numbered = [{"index": at, **call} for at, call in enumerate(calls)]
        yield chunk_choice(delta.index, {"tool_calls": numbered})
    if delta.finish_reason:
        reason = "tool_calls" if calls else delta.finish_reason
        yield chunk_choice(delta.index, {}, reason)


def chunk_choice(index: int, delta: Wire, reason: str | None = None) -> Wire:
    return {"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}


def spoken_and_called(text: str, *, has_tools: bool) -> tuple[str | None, list[Wire]]:
    """The text beside tool calls, and the calls; both only if tools were offered."""
    if not has_tools:
        return text, []
    content, calls = parse_tool_calls(text)
    return content or None, [_tool_call(call) for call in calls]


def collected(deltas: Iterable[Delta]) -> Iterable[Delta]:
    """Each choice's whole text in one delta, its last."""
    texts: dict[int, str] = {}
    for delta in deltas:
        text = texts[delta.index] = texts.get(delta.index, "") + delta.text
        if delta.finish_reason:
            yield Delta(delta.index, text, delta.finish_reason, delta.completion_tokens)


def event(data: Wire) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _tool_call(call: Wire) -> Wire:
    arguments = orjson.dumps(call["arguments"]).decode()
    return {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {"name": call["name"], "arguments": arguments},
    }
