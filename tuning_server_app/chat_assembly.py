"""Puts the chunks of a streamed chat together: the completion it would have been."""

from typing import Any

import orjson

Wire = dict[str, Any]
DONE = b"[DONE]"


class Assembly:
    """Fed with the bytes of an event stream, in pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""
        self._head: Wire = {}
        self._usage: Wire | None = None
        self._choices: dict[int, Wire] = {}

    def feed(self, piece: bytes) -> Wire | None:
        """The completion, once the stream said that it is whole."""
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        for event in events:
            if not event.startswith(b"data:"):
                continue  # a comment, to keep the connection open
            data = event.removeprefix(b"data:").strip()
            if data == DONE:
                return self._completion()
            self._take(orjson.loads(data))
        return None

    def _take(self, chunk: Wire) -> None:
        self._head = {name: chunk.get(name) for name in ("id", "created", "model")}
        self._usage = chunk.get("usage") or self._usage
        for part in chunk.get("choices", []):
            choice = self._choices.setdefault(part["index"], _empty(part["index"]))
            _grow(choice["message"], part["delta"])
            _grow_logprobs(choice, part.get("logprobs"))
            choice["finish_reason"] = part["finish_reason"] or choice["finish_reason"]

    def _completion(self) -> Wire:
        completion = {
            **self._head,
            "object": "chat.completion",
            "choices": [self._choices[index] for index in sorted(self._choices)],
        }
        return (
            completion if self._usage is None else completion | {"usage": self._usage}
        )


def _empty(index: int) -> Wire:
    message = {"role": "assistant", "content": None, "refusal": None}
    return {
        "index": index,
        "message": message,
        "finish_reason": None,
        "logprobs": None,
    }


def _grow(message: Wire, delta: Wire) -> None:
    if delta.get("content"):
        message["content"] = (message["content"] or "") + delta["content"]
    for part in delta.get("tool_calls") or []:
        calls = message.setdefault("tool_calls", [])
        if part["index"] >= len(calls):
            function = {"name": "", "arguments": ""}
            calls.append({"id": "", "type": "function", "function": function})
        call = calls[part["index"]]
        call["id"] = part.get("id") or call["id"]
        for name, text in (part.get("function") or {}).items():
            call["function"][name] += text or ""


def _grow_logprobs(choice: Wire, logprobs: Wire | None) -> None:
    if logprobs is None:
        return
    whole = choice["logprobs"] or {"content": [], "refusal": None}
    whole["content"] += logprobs.get("content") or []
    choice["logprobs"] = whole
