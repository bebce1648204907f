"""Calls in what a model writes: found, told from text, and held while text streams."""

import json
import time
from typing import Any

import pytest

from open_chats.tool_text import CallsInText, parse_tool_calls
from tuning_server_app.inference.wire import Style

NAMES = {"draw", "discard"}
CALL = '{"name": "draw", "arguments": {"n": 2}}'
DRAW = {"name": "draw", "arguments": {"n": 2}}


def tagged(arguments: str) -> str:
    return f'<tool_call>{{"name": "draw", "arguments": {arguments}}}</tool_call>'


def let_out(pieces: list[str]) -> tuple[str, str]:
    """What streams as text, and what is held to the end."""
    calls = CallsInText()
    return "".join(calls.add(piece) for piece in pieces), calls.held


@pytest.mark.parametrize(
    "answer",
    [
        CALL,
        f" {CALL}\n",
        f"[{CALL}]",
        '{"name": "draw", "parameters": {"n": 2}}',
        '{"name": "draw", "arguments": "{\\"n\\": 2}"}',
    ],
)
def test_an_answer_that_is_only_a_known_call_is_one(answer: str):
    assert parse_tool_calls(answer, NAMES) == ("", [DRAW])


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "Kim", "arguments": {}}',
        '{"name": "draw", "arguments": [1]}',
        f'[{CALL}, {{"name": "Kim"}}]',
        '{"n": 2}',
        "[1, 2]",
        "{",
        f"See: {CALL}",
    ],
)
def test_other_json_is_an_answer(answer: str):
    assert parse_tool_calls(answer, NAMES) == (answer, [])


def test_a_call_of_a_tool_that_was_not_offered_stays_in_the_text():
    answer = f"<tool_call>{CALL}</tool_call>"

    assert parse_tool_calls(answer, {"discard"}) == (answer, [])
    assert parse_tool_calls(answer, NAMES) == ("", [DRAW])


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_what_json_does_not_know_is_no_call(number: str):
    answer = (
        f'<tool_call>{{"name": "draw", "arguments": {{"n": {number}}}}}</tool_call>'
    )

    assert parse_tool_calls(answer, NAMES) == (answer, [])


@pytest.mark.parametrize("n", [10**40, "\\ud800"])
def test_arguments_that_few_can_read_are_passed_on(n: Any):
    number = f'"{n}"' if isinstance(n, str) else n
    answer = (
        f'<tool_call>{{"name": "draw", "arguments": {{"n": {number}}}}}</tool_call>'
    )
    style = Style(frozenset(NAMES), one_call=False, bytes_of=lambda _: b"")

    _text, (call,) = style.spoken_and_called(answer)

    assert json.loads(call["function"]["arguments"]) == {"n": json.loads(str(number))}


def test_text_streams_until_a_call_may_begin():
    pieces = ["I will ", "draw.", "\n<tool", "_call>", CALL, "</tool_call>"]

    assert let_out(pieces) == ("I will draw.", f"\n<tool_call>{CALL}</tool_call>")


def test_what_only_looked_like_a_call_streams_on():
    assert let_out(["a <", "b", " <tool", "box> c"]) == ("a <b <toolbox> c", "")


def test_an_answer_that_begins_like_json_is_held():
    assert let_out(["\n{", '"name": 1}']) == ("", '\n{"name": 1}')


def test_json_within_text_streams():
    assert let_out(["See ", "{1}"]) == ("See {1}", "")


def test_a_call_of_white_space_that_never_ends_takes_no_time():
    answer = "<tool_call>" + " " * 20_000
    began = time.monotonic()
    assert parse_tool_calls(answer, NAMES) == (answer, [])
    assert time.monotonic() - began < 1
