"""OpenAI's chat completion objects."""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from open_chats.tool_text import CallsInText, parse_tool_calls
from tuning_server_app.inference.chat import Delta, TokenLogprob

Wire = dict[str, Any]
TokenBytes = Callable[[int], bytes]


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


@dataclass(frozen=True)
class Style:
    """How an answer is told: what counts as a call, and what its tokens are."""

    tools: frozenset[str]
    one_call: bool
    bytes_of: TokenBytes

    def spoken_and_called(self, text: str) -> tuple[str | None, list[Wire]]:
        """The text beside tool calls, and the calls, if any tools were offered."""
        if not self.tools:
            return text, []
        content, calls = parse_tool_calls(text, self.tools)
        wanted = calls[:1] if self.one_call else calls
        return content or None, [_tool_call(call) for call in wanted]

    def logprobs(self, logprobs: Collection[TokenLogprob]) -> Wire | None:
        if not logprobs:
            return None
        content = [
            {
                **self._token(each.token, each.logprob),
                "top_logprobs": [self._token(*alternative) for alternative in each.top],
            }
            for each in logprobs
        ]
        return {"content": content, "refusal": None}

    def _token(self, token: int, logprob: float) -> Wire:
        raw = self.bytes_of(token)
        return {
            "token": raw.decode(errors="replace"),
            # JSON has no infinity; OpenAI's word for "next to impossible".
            "logprob": max(logprob, -9999.0),
            "bytes": list(raw),
        }


class WholeChoice:
    """A choice that is told when it is complete."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._text = ""
        self._logprobs: list[TokenLogprob] = []

    def add(self, delta: Delta) -> None:
        self._text += delta.text
        self._logprobs += delta.logprobs

    def told(self, index: int, reason: str) -> Wire:
        content, calls = self._style.spoken_and_called(self._text)
        message: Wire = {"role": "assistant", "content": content, "refusal": None}
        if calls:
            message["tool_calls"] = calls
        return {
            "index": index,
            "message": message,
            "finish_reason": "tool_calls" if calls else reason,
            "logprobs": self._style.logprobs(self._logprobs),
        }


class StreamedChoice:
    """A choice that is told as it comes; its calls when they are complete."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._calls = CallsInText()

    def opening(self, index: int) -> Wire:
        delta = {"role": "assistant", "content": "", "refusal": None}
        return _chunk_choice(index, delta)

    def told(self, delta: Delta) -> Iterator[Wire]:
        """The text of a delta, and, when it is the last of its choice, the end."""
        text = self._calls.add(delta.text) if self._style.tools else delta.text
        logprobs = self._style.logprobs(delta.logprobs)
        if text or logprobs:
            yield _chunk_choice(delta.index, {"content": text}, logprobs=logprobs)
        if delta.finish_reason:
            yield from self._end(delta)

    def _end(self, delta: Delta) -> Iterator[Wire]:
        held, calls = self._style.spoken_and_called(self._calls.held)
        if held:
            yield _chunk_choice(delta.index, {"content": held})
        if calls:
            numbered = [{"index": at, **call} for at, call in enumerate(calls)]
            yield _chunk_choice(delta.index, {"tool_calls": numbered})
        reason = "tool_calls" if calls else delta.finish_reason
        yield _chunk_choice(delta.index, {}, reason)


def usage(prompt_tokens: int, completion_tokens: int) -> Wire:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def event(data: Wire) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _chunk_choice(
    index: int,
    delta: Wire,
    reason: str | None = None,
    *,
    logprobs: Wire | None = None,
) -> Wire:
    return {
        "index": index,
        "delta": delta,
        "finish_reason": reason,
        "logprobs": logprobs,
    }


def _tool_call(call: Wire) -> Wire:
    return {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {"name": call["name"], "arguments": _as_json(call["arguments"])},
    }


def _as_json(arguments: Wire) -> str:
    try:
        return orjson.dumps(arguments).decode()
    except TypeError:  # a model may write huge integers and halves of characters
        return json.dumps(arguments)
