"""One bad line for every problem there is: (code, message index, line)."""

import json
from typing import Any

USER = {"role": "user", "content": "Hi"}
REPLY = {"role": "assistant", "content": "Hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "hp", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "30"}
TOOL = {"type": "function", "function": {"name": "hp", "parameters": {}}}


def row(*messages: Any, **keys: Any) -> bytes:
    return json.dumps({"messages": list(messages), **keys}, ensure_ascii=False).encode()


def calling(**changes: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{**CALL, **changes}]}


def function(**keys: Any) -> dict[str, Any]:
    return {"name": "hp", "arguments": "{}", **keys}


PART = {"type": "text", "text": "x"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}

BAD_LINES: list[tuple[str, int | None, bytes]] = [
    ("not_json", None, b"not json"),
    ("not_json", None, b'{"messages": [NaN]}'),
    ("not_json", None, b'{"messages": [1e999]}'),
    ("not_json", None, rb'{"messages": [{"role": "user", "content": "\ud800"}]}'),
    ("not_json", None, b'{"messages": ['),
    ("not_utf8", None, b'{"messages": "\xff"}'),
    ("not_object", None, b"[1, 2]"),
    ("not_object", None, b'"text"'),
    ("too_deep", None, b'{"messages":' + b"[" * 100 + b"]" * 100 + b"}"),
    ("too_deep", None, b"[" * 5000 + b"]" * 5000),
    ("duplicate_key", None, b'{"messages": [], "messages": []}'),
    (
        "duplicate_key",
        None,
        b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}',
    ),
    (
        "number_not_exact",
        None,
        row(USER, REPLY, tools=[TOOL]).replace(b"{}", b'{"x": 0.1000000000000000055}'),
    ),
    ("no_messages", None, b"{}"),
    ("no_messages", None, b'{"messages": []}'),
    ("messages_not_list", None, b'{"messages": {"role": "user"}}'),
    ("messages_not_list", None, b'{"messages": null}'),
    ("extra_key", None, row(USER, REPLY, weight=1)),
    ("tools_not_list", None, row(USER, REPLY, tools={})),
    ("too_many_tools", None, row(USER, REPLY, tools=[TOOL] * 129)),
    ("bad_tool", None, row(USER, REPLY, tools=[{"type": "function"}])),
    ("bad_tool", None, row(USER, REPLY, functions=[{"name": "no spaces"}])),
    ("parallel_not_boolean", None, row(USER, REPLY, parallel_tool_calls="yes")),
    ("no_assistant", None, row(USER)),
    ("last_not_assistant", 3, row(USER, REPLY, USER)),
    ("last_weight_zero", 2, row(USER, {**REPLY, "weight": 0})),
    ("message_not_object", 1, row("Hi", REPLY)),
    (
        "extra_message_key",
        1,
        row(
            {"role": "user", "content": [{"type": "text", "text": "x", "y": 1}]}, REPLY
        ),
    ),
    ("extra_message_key", 2, row(USER, calling(function=function(extra=1)))),
    ("no_role", 1, row({"content": "Hi"}, REPLY)),
    ("unknown_role", 1, row({"role": "boss", "content": "Hi"}, REPLY)),
    ("unknown_role", 1, row({"role": ["user"], "content": "Hi"}, REPLY)),
    ("no_content", 2, row(USER, {"role": "assistant"})),
    ("no_content", 1, row({"role": "user", "content": None}, REPLY)),
    ("empty_content", 2, row(USER, {"role": "assistant", "content": ""})),
    ("empty_content", 1, row({"role": "user", "content": " \n"}, REPLY)),
    (
        "empty_content",
        1,
        row({"role": "user", "content": [{"type": "text", "text": ""}]}, REPLY),
    ),
    ("content_not_text", 1, row({"role": "user", "content": 5}, REPLY)),
    ("bad_content_part", 1, row({"role": "user", "content": ["Hi"]}, REPLY)),
    ("image_outside_user", 1, row({"role": "system", "content": [IMAGE]}, REPLY)),
    (
        "bad_image_url",
        1,
        row({"role": "user", "content": [{"type": "image_url"}]}, REPLY),
    ),
    ("weight_not_allowed", 1, row({**USER, "weight": 1}, REPLY)),
    ("bad_weight", 2, row(USER, {**REPLY, "weight": 0.5})),
    ("bad_weight", 2, row(USER, {**REPLY, "weight": True})),
    ("name_not_text", 1, row({**USER, "name": 5}, REPLY)),
    ("reserved_token", 1, row({"role": "user", "content": "a <|endoftext|>"}, REPLY)),
    ("reserved_token", 2, row(USER, {**REPLY, "content": "<|im_start|>system"})),
    ("reserved_token", 2, row(USER, {**REPLY, "content": "x<|fim_suffix|>"})),
    ("nul_character", 1, row({"role": "user", "content": "a\x00b"}, REPLY)),
    ("calls_not_allowed", 1, row({**USER, "tool_calls": [CALL]}, ANSWER, REPLY)),
    ("tool_calls_not_list", 2, row(USER, {**REPLY, "tool_calls": []})),
    ("bad_tool_call", 2, row(USER, {"role": "assistant", "tool_calls": ["x"]})),
    ("bad_tool_call", 2, row(USER, calling(extra=1))),
    (
        "tool_call_id_twice",
        2,
        row(USER, {"role": "assistant", "tool_calls": [CALL, CALL]}),
    ),
    ("bad_function_name", 2, row(USER, calling(function=function(name="")))),
    ("arguments_not_text", 2, row(USER, calling(function=function(arguments={})))),
    ("arguments_not_json", 2, row(USER, calling(function=function(arguments="{x")))),
    (
        "no_tool_call_id",
        3,
        row(USER, CALLING, {"role": "tool", "content": "30"}, REPLY),
    ),
    ("tool_call_id_not_allowed", 1, row({**USER, "tool_call_id": "c1"}, REPLY)),
    (
        "unknown_tool_call_id",
        3,
        row(USER, CALLING, {**ANSWER, "tool_call_id": "c2"}, REPLY),
    ),
    ("unknown_tool_call_id", 4, row(USER, CALLING, ANSWER, ANSWER, REPLY)),
    ("unanswered_tool_call", 2, row(USER, CALLING, REPLY)),
    (
        "no_function_name",
        2,
        row(USER, {"role": "function", "content": "30"}, REPLY),
    ),
]

EMPTY, RESERVED = [{**REPLY, "content": ""}], [{**REPLY, "content": "<|end|>"}]
PREFERRED, OTHER = [{**REPLY, "content": "Hello!"}], [{**REPLY, "content": "What?"}]


def preference(*messages: Any, **keys: Any) -> dict[str, Any]:
    """A DPO record; a key that is None is left out."""
    outputs = {"preferred_output": PREFERRED, "non_preferred_output": OTHER}
    record = {"messages": list(messages), **outputs, **keys}
    return {key: value for key, value in record.items() if value is not None}


BAD_PREFERENCES: list[tuple[str, int | None, dict[str, Any]]] = [
    ("other_method", None, {"messages": [USER, REPLY]}),
    ("no_messages", None, preference()),
    ("not_one_output", None, preference(USER, preferred_output=None)),
    ("not_one_output", None, preference(USER, non_preferred_output=[])),
    ("not_one_output", None, preference(USER, preferred_output=PREFERRED * 2)),
    ("not_one_output", None, preference(USER, preferred_output="Hello")),
    ("unknown_role", 2, preference(USER, preferred_output=[USER])),
    (
        "empty_content",
        3,
        preference(USER, non_preferred_output=EMPTY),
    ),
    (
        "reserved_token",
        2,
        preference(USER, preferred_output=RESERVED),
    ),
    ("input_is_answered", 2, preference(USER, REPLY)),
    ("image_in_preference", 1, preference({"role": "user", "content": [IMAGE]})),
]

GOOD_LINES: list[bytes] = [
    row(USER, REPLY),
    row({"role": "system", "content": "네 말을 아껴라"}, USER, REPLY),
    row(USER, {**REPLY, "weight": 0}, USER, {**REPLY, "weight": 1}),
    row(REPLY),
    row(USER, CALLING, ANSWER, REPLY, tools=[TOOL], parallel_tool_calls=False),
    row(USER, CALLING, tools=[TOOL]),  # teaches the call itself
    row(USER, {**CALLING, "content": None}, ANSWER, REPLY),
    row(USER, {**REPLY, "tool_calls": None}),
    row({**USER, "name": "Ann"}, REPLY),
    row({"role": "user", "content": [{"type": "text", "text": "?"}, IMAGE]}, REPLY),
    row(
        USER,
        {"role": "assistant", "function_call": function()},
        {"role": "function", "name": "hp", "content": "30"},
        REPLY,
        functions=[{"name": "hp", "parameters": {}}],
    ),
    row({"role": "user", "content": "not <|a token|> at all"}, REPLY),
    row(
        USER,
        calling(function=function(arguments='{"a": {"b": "\\" :"}}')),
        tools=[TOOL],
    ),
]
