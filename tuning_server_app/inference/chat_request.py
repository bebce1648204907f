"""The body of a chat completion, checked and reduced to what generation needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.inference.fields import (
    boolean,
    checked,
    integer,
    number,
    optional_integer,
    optional_object,
)
from tuning_server_app.inference.tool_request import parse_tools

MAX_CHOICES = 16
MAX_STOPS = 4
MAX_BIASES = 1024
# Tokens with their logprobs that one answer may come to: half a kilobyte each.
MAX_LOGPROBS = 250_000
# A model that never ends its turn would otherwise write until its context is full.
DEFAULT_MAX_TOKENS = 2048

# What says who asks, and hints that can change no answer.
ACCEPTED = {
    *("metadata", "store", "user", "safety_identifier", "service_tier", "prediction"),
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
}
HONOURED = {
    *("model", "base", "adapter", "messages", "stream", "stream_options"),
    *("max_tokens", "max_completion_tokens", "temperature", "top_p", "n", "stop"),
    *("seed", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty"),
    *("logit_bias", "tools", "tool_choice", "parallel_tool_calls", "response_format"),
}
# OpenAI's, which no model here can do; only what asks for nothing is let through.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "functions": ([],),
    "function_call": ("none",),
    "modalities": (["text"],),
    "moderation": (),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
    "web_search_options": (),
}


@dataclass(frozen=True)
class ChatRequest:
    """One question to one model; `adapter` is a folder below the adapters' root."""

    base: str
    adapter: str | None
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    must_call: bool = False
    one_call: bool = False
    schema: dict[str, Any] | None = None
    """The JSON schema that an answer in words must follow."""
    max_tokens: int = DEFAULT_MAX_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    n: int = 1
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_logprobs: int | None = None
    """How many alternatives to each token; None for no logprobs at all."""


def parse_chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """What the body asks for.

    Raises:
        ApiError: a field has the wrong type or range, or asks for what we cannot do.
    """
    _refuse_unsupported(body)
    n = integer(body, "n", 1, low=1, high=MAX_CHOICES)
    top_p = number(body, "top_p", 1.0, low=0.0, high=1.0)
    default_temperature = _default_temperature(n, top_p)
    tools = parse_tools(body)
    max_tokens, top_logprobs = _max_tokens(body), _top_logprobs(body)
    _refuse_flood(n, max_tokens, top_logprobs)
    return ChatRequest(
        base=checked(body, "base", str, "a string"),
        adapter=checked(body, "adapter", str | None, "a string or null"),
        messages=_messages(body),
        tools=tools.tools,
        must_call=tools.must_call,
        one_call=tools.one_call,
        schema=_schema(body),
        max_tokens=max_tokens,
        temperature=number(body, "temperature", default_temperature, low=0.0, high=2.0),
        top_p=top_p,
        frequency_penalty=number(body, "frequency_penalty", 0.0, low=-2.0, high=2.0),
        presence_penalty=number(body, "presence_penalty", 0.0, low=-2.0, high=2.0),
        logit_bias=_logit_bias(body),
        n=n,
        stop=_stops(body),
        seed=optional_integer(body, "seed", low=-(2**63), high=2**63 - 1),
        top_logprobs=top_logprobs,
    )


def wants_stream(body: Mapping[str, Any]) -> bool:
    return boolean(body, "stream", False)


def wants_usage_in_stream(body: Mapping[str, Any]) -> bool:
    options = optional_object(body, "stream_options")
    if options and not wants_stream(body):
        raise invalid(
            "stream_options is only allowed beside stream.", param="stream_options"
        )
    return boolean(options, "include_usage", False)


def _default_temperature(n: int, top_p: float) -> float:
    """Greedy, as open models' own defaults are, unless variety is asked for."""
    return 1.0 if n > 1 or top_p < 1 else 0.0


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if name in UNSUPPORTED:
            if value is not None and value not in UNSUPPORTED[name]:
                raise _unsupported(name)
        elif name not in ACCEPTED and name not in HONOURED:
            raise invalid(
                f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter"
            )


def _unsupported(name: str) -> ApiError:
    instead = " Use tools instead." if name.startswith("function") else " Leave it out."
    return invalid(
        f"Unsupported parameter: '{name}' is not supported with this model.{instead}",
        param=name,
        code="unsupported_parameter",
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


def _schema(body: Mapping[str, Any]) -> dict[str, Any] | None:
    form = optional_object(body, "response_format")
    if not form or form.get("type") == "text":
        return None
    if form.get("type") == "json_object":
        return {"type": "object"}
    described = form.get("json_schema")
    if form.get("type") != "json_schema" or not isinstance(described, dict):
        raise invalid(
            "response_format must have the type text, json_object or json_schema, the"
            " last with the object json_schema beside it.",
            param="response_format",
        )
    schema = described.get("schema", {"type": "object"})
    if not isinstance(schema, dict):
        raise invalid(
            "The schema in response_format must be an object.",
            param="response_format.json_schema.schema",
        )
    return schema


def _max_tokens(body: Mapping[str, Any]) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        if body.get(name) is not None:
            return integer(body, name, DEFAULT_MAX_TOKENS, low=1)
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


def _logit_bias(body: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
    biases = optional_object(body, "logit_bias")
    if len(biases) > MAX_BIASES:
        raise invalid(
            f"logit_bias may name at most {MAX_BIASES} tokens.", param="logit_bias"
        )
    for token in biases:
        if not (token.isascii() and token.isdigit() and len(token) < 10):
            raise invalid(
                "logit_bias must have numbers of tokens as its keys, as the model's own"
                " tokenizer counts them.",
                param="logit_bias",
            )
    return tuple(
        (int(token), number(biases, token, 0.0, low=-100, high=100)) for token in biases
    )


def _top_logprobs(body: Mapping[str, Any]) -> int | None:
    top = optional_integer(body, "top_logprobs", low=0, high=20)
    if boolean(body, "logprobs", False):
        return top or 0
    if top:
        raise invalid("top_logprobs needs logprobs: true.", param="top_logprobs")
    return None


def _refuse_flood(n: int, max_tokens: int, top_logprobs: int | None) -> None:
    """The whole answer is in memory before it is told."""
    if top_logprobs is None:
        return
    n_logprobs = n * max_tokens * (1 + top_logprobs)
    if n_logprobs > MAX_LOGPROBS:
        raise invalid(
            f"{n} choices of up to {max_tokens} tokens, each with its logprob and"
            f" {top_logprobs} more, come to {n_logprobs} logprobs; an answer may have"
            f" {MAX_LOGPROBS}. Ask for fewer choices, a smaller max_completion_tokens"
            f" ({DEFAULT_MAX_TOKENS} unless asked otherwise) or fewer top_logprobs.",
            param="top_logprobs",
            code="too_many_logprobs",
        )
