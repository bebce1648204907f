from typing import Any

import pytest

from open_chats.plain_messages import UnusableMessage, plain_messages
from open_chats.tool_text import parse_tool_calls, tools_in_text


def test_newer_and_deprecated_roles_become_the_ones_templates_know():
    roles = ["developer", "user", "assistant", "function"]
    messages = [{"role": role, "content": "x"} for role in roles]

    plain = [message["role"] for message in plain_messages(messages)]

    assert plain == ["system", "user", "assistant", "tool"]


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]

    assert plain_messages([{"role": "user", "content": parts}])[0]["content"] == "ab"


def test_an_image_is_refused_by_the_number_of_its_message():
    image = [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": image},
    ]

    with pytest.raises(UnusableMessage, match="Message 2 has content that is not text"):
        plain_messages(messages)


def test_an_unknown_role_is_refused():
    with pytest.raises(UnusableMessage, match="Message 1 has the role 'robot'"):
        plain_messages([{"role": "robot", "content": "x"}])


@pytest.mark.parametrize("arguments", ["two", "[" * 100_000])
def test_a_call_whose_arguments_are_no_json_is_refused(arguments):
    call = {"function": {"name": "draw", "arguments": arguments}}

    with pytest.raises(UnusableMessage, match="tool call"):
        plain_messages([{"role": "assistant", "tool_calls": [call]}])


def test_calls_written_as_text_are_read_back():
    functions = [
        {"name": "draw", "arguments": {"cards": 2}},
        {"name": "끝내기", "arguments": {}},
    ]
    message = {
        "role": "assistant",
        "content": "Gladly.",
        "tool_calls": [{"function": function} for function in functions],
    }

    written = tools_in_text([message], None)[0]["content"]

    assert parse_tool_calls(written) == ("Gladly.", functions)


@pytest.mark.parametrize("call", ["draw two", "[" * 100_000])
def test_a_call_that_is_no_json_stays_in_the_text(call):
    answer = f"<tool_call>\n{call}\n</tool_call>"

    assert parse_tool_calls(answer) == (answer, [])


@pytest.mark.parametrize(
    "message",
    [{"role": []}, *({"role": "assistant", "tool_calls": c} for c in (5, ["a"], "a"))],
)
def test_a_message_of_odd_shape_is_refused(message):
    with pytest.raises(UnusableMessage, match="Message 1 has"):
        plain_messages([message])
