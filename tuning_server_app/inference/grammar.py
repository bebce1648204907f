"""Answers that must have a form: JSON of a schema, or calls of tools.

llguidance says, before every token, which ones keep the answer within the form.
"""

import json
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from torch import Tensor

from tuning_server_app.errors import invalid
from tuning_server_app.inference.chat_request import ChatRequest

# As json.dumps writes, and as calls are written in what a model is trained on. Free
# white space would let a small model write nothing else.
JSON_STYLE = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
}
ANY_OBJECT: dict[str, Any] = {"type": "object"}
# The guide makes a table as large as the square of this number: a second for 30,000,
# half an hour for a million.
MAX_MULTIPLE = 10_000


class Grammar:
    """How far an answer has come within its form."""

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher

    @property
    def is_ended(self) -> bool:
        return bool(self._matcher.is_stopped())

    def allowed(self, n_tokens: int) -> Tensor:
        """(n_tokens,) bool: the tokens that may come next.

        Raises:
            ApiError: the form is too much for the guide.
        """
        marks = torch.frombuffer(
            bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8
        )
        self._check()
        allowed = torch.zeros(n_tokens, dtype=torch.bool)
        known = min(n_tokens, len(marks))
        allowed[:known] = marks[:known] > 0
        return allowed

    def take(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._check()

    def copy(self) -> "Grammar":
        return Grammar(self._matcher.deep_copy())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise invalid(
                "The form that the answer must have cannot be followed:"
                f" {self._matcher.get_error()[:500]} Simplify the schema."
            )


def make_grammar(
    request: ChatRequest, guide: Callable[[], LLTokenizer]
) -> Grammar | None:
    """What the answer must look like; None if it is free.

    Args:
        guide: the model's tokens as bytes; asked for only where they are needed.

    Raises:
        ApiError: a schema is wrong, or uses what the guide cannot follow.
    """
    source = _source(request)
    if source is None:
        return None
    matcher = LLMatcher(guide(), LLMatcher.grammar_from_lark(source), log_level=0)
    if matcher.is_error():
        param = "response_format" if request.schema is not None else "tools"
        raise invalid(
            f"{param} has a JSON schema that this server cannot follow:"
            f" {matcher.get_error()[:500]}",
            param=param,
        )
    return Grammar(matcher)


def _source(request: ChatRequest) -> str | None:
    """The grammar in llguidance's kind of Lark."""
    must_call = bool(request.tools) and request.must_call
    if request.schema is None and not must_call:
        return None
    rules, starts = [], []
    if request.schema is not None and not must_call:
        starts.append("answer")
        rules.append(f"answer: {_json_rule(request.schema)}")
    if request.tools:
        starts.append("call" if request.one_call else "calls")
        rules += _call_rules(request.tools)
    return "\n".join([f"start: {' | '.join(starts)}", *rules])


def _call_rules(tools: list[dict[str, Any]]) -> list[str]:
    names = [f"call{number}" for number in range(len(tools))]
    rules = ['calls: call ("\\n" call)*', f"call: {' | '.join(names)}"]
    for number, tool in enumerate(tools):
        function = tool["function"]
        name = json.dumps(function["name"])
        before = json.dumps(f'<tool_call>\n{{"name": {name}, "arguments": ')
        after = json.dumps("}\n</tool_call>")
        rules.append(f"call{number}: {before} arguments{number} {after}")
        schema = function.get("parameters") or ANY_OBJECT
        rules.append(f"arguments{number}: {_json_rule(schema)}")
    return rules


def _json_rule(schema: dict[str, Any]) -> str:
    _check_multiples(schema)
    return f"%json {json.dumps({**schema, 'x-guidance': JSON_STYLE})}"


def _check_multiples(schema: object) -> None:
    """Raises ApiError if `multipleOf`, all of them together, would take too long."""
    common: Fraction | None = None
    for number in _multiples(schema):
        common = number if common is None else _lcm(common, number)
        if _digits(common) > MAX_MULTIPLE:
            raise invalid(
                "A JSON schema has a multipleOf with too many digits, alone or together"
                " with its others: without point and zeros at the end they may be a"
                f" number up to {MAX_MULTIPLE}. Leave it out."
            )


def _multiples(schema: object) -> Iterator[Fraction]:
    if isinstance(schema, dict):
        number = schema.get("multipleOf")
        if type(number) in (int, float) and number:  # of 0 the guide says what it is
            yield abs(Fraction(str(number)))
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _multiples(part)


def _lcm(one: Fraction, other: Fraction) -> Fraction:
    return Fraction(
        math.lcm(one.numerator, other.numerator),
        math.gcd(one.denominator, other.denominator),
    )


def _digits(number: Fraction) -> int:
    """Without the point and the zeros at the end: 375 of 0.375, 1 of 100."""
    whole = number * 10 ** number.denominator.bit_length()
    return int(str(int(whole)).rstrip("0"))
