"""The body of a chat completion, checked and reduced to what generation needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning_server_app.errors import invalid

MAX_CHOICES = 16
MAX_STOPS = 4
# A model that never ends its turn would otherwise write until its context is full.
DEFAULT_MAX_TOKENS = 2048


@dataclass(frozen=True)
class ChatRequest:
    """One question to one model; `adapter` is a folder below the adapters' root."""

    base: str
    adapter: str | None
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    n: int = 1
    stop: tuple[str, ...] = ()
    seed: int | None = None


def parse_chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """What the body asks for.

    Raises:
        ApiError: a field has the wrong type or range, or asks for what we cannot do.
    """
    _refuse_unsupported(body)
    n = _integer(body, "n", 1, low=1, high=MAX_CHOICES)
    top_p = _number(body, "top_p", 1.0, low=0.0, high=1.0)
    return ChatRequest(
        base=_checked(body, "base", str, "a string"),
        adapter=_checked(body, "adapter", str | None, "a string or null"),
        messages=_messages(body),
        tools=_tools(body),
        max_tokens=_max_tokens(body),
        temperature=_number(
            body, "temperature", _default_temperature(n, top_p), low=0.0, high=2.0
        ),
        top_p=top_p,
        n=n,
        stop=_stops(body),
        seed=_optional_integer(body, "seed"),
    )


def _default_temperature(n: int, top_p: float) -> float:
    """Greedy, as open models' own defaults are, unless variety is asked for."""
    return 1.0 if n > 1 or top_p < 1 else 0.0


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    if body.get("logprobs"):
        raise invalid("This server returns no logprobs.", param="logprobs")
    form = body.get("response_format")
    if form is not None and (not isinstance(form, dict) or form.get("type") != "text"):
        raise invalid(
            "This server cannot force a response format; only text is possible.",
            param="response_format",
        )


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid(
            "messages must be a list with at least one message.", param="messages"
        )
    if not all(isinstance(message, dict) for message in messages):
        raise invalid("Each of the messages must be an object.", param="messages")
    return messages


def _tools(body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    tools = body.get("tools")
    if not tools or body.get("tool_choice") == "none":
        return None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise invalid("tools must be a list of objects.", param="tools")
    return tools


def _max_tokens(body: Mapping[str, Any]) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        if body.get(name) is not None:
            return _integer(body, name, DEFAULT_MAX_TOKENS, low=1)
    return DEFAULT_MAX_TOKENS


def _stops(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    valid = isinstance(stops, list) and all(isinstance(s, str) and s for s in stops)
    if not valid or len(stops) > MAX_STOPS:
        raise invalid(
            f"stop must be a text or a list of at most {MAX_STOPS} texts.", param="stop"
        )
    return tuple(stops)


def _integer(
    body: Mapping[str, Any], name: str, default: int, *, low: int, high: int = 2**31 - 1
) -> int:
    value = _optional_integer(body, name)
    if value is None:
        return default
    return int(_within(value, name, low, high))


def _optional_integer(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None or _is_number(value, int):
        return value
    raise invalid(f"{name} must be a whole number.", param=name)


def _number(
    body: Mapping[str, Any], name: str, default: float, *, low: float, high: float
) -> float:
    value = body.get(name)
    if value is None:
        return default
    if not _is_number(value, int | float):
        raise invalid(f"{name} must be a number.", param=name)
    return float(_within(value, name, low, high))


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _within(value: float, name: str, low: float, high: float) -> float:
    if low <= value <= high:
        return value
    raise invalid(f"{name} must be from {low} to {high}, not {value}.", param=name)


def _checked(body: Mapping[str, Any], name: str, kind: Any, words: str) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise invalid(f"{name} must be {words}.", param=name)
    return value
