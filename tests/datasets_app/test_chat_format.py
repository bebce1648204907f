import json

from datasets_app.chat_format import (
    REINFORCEMENT,
    all_texts,
    canonical_line,
    preview,
)
from tests.datasets_app.bad_rows import (
    CALL,
    GOOD_LINES,
    OTHER,
    PREFERRED,
    REPLY,
    USER,
    preference,
)


def test_keys_come_in_the_order_of_the_api():
    record = {
        "parallel_tool_calls": True,
        "tools": [{"function": {"name": "f"}, "type": "function"}],
        "messages": [
            {"content": "Hi", "role": "user"},
            {
                "tool_calls": [
                    {
                        "function": {"arguments": "{}", "name": "f"},
                        "type": "function",
                        "id": "1",
                    }
                ],
                "weight": 1,
                "content": None,
                "role": "assistant",
            },
        ],
    }

    assert canonical_line(record) == (
        '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant",'
        '"content":null,"weight":1,"tool_calls":[{"id":"1","type":"function",'
        '"function":{"name":"f","arguments":"{}"}}]}],'
        '"tools":[{"function":{"name":"f"},"type":"function"}],'
        '"parallel_tool_calls":true}'
    )


def test_text_is_not_escaped():
    line = canonical_line({"messages": [{"role": "user", "content": "네\u2028é😀"}]})

    assert "네\u2028é😀" in line


def test_a_null_that_says_nothing_is_left_out():
    message = {**REPLY, "tool_calls": None, "name": None}

    assert canonical_line({"messages": [message]}) == canonical_line(
        {"messages": [REPLY]}
    )


def test_a_canonical_line_says_what_the_line_said():
    for line in GOOD_LINES[:7]:
        record = json.loads(line)

        assert json.loads(canonical_line(record)) == record


def test_a_preference_is_written_with_its_input():
    record = preference(USER, tools=[{"type": "function"}])

    assert json.loads(canonical_line(record)) == {
        "input": {"messages": [USER], "tools": [{"type": "function"}]},
        "preferred_output": PREFERRED,
        "non_preferred_output": OTHER,
    }


def test_only_a_grader_is_given_the_further_keys():
    about_messages = {"1": {"id": 7}}
    extra = {"answer": 0.5, "messages": about_messages, "tools": [], "이름": "가"}
    record = {"messages": [USER], "extra": extra}

    assert json.loads(canonical_line(record)) == {"messages": [USER]}
    assert json.loads(canonical_line(record, REINFORCEMENT)) == {
        "messages": [USER],
        "answer": 0.5,
        "이름": "가",
    }


def test_all_that_is_said_or_called_can_be_searched():
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "one"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "name": "Ann"},
        REPLY,
    ]

    assert all_texts(messages) == ["one", "Ann", "hp", "{}", "Hello"]


def test_previews_are_the_first_and_the_last_words():
    messages = [USER, REPLY, {**USER, "content": "More"}, {**REPLY, "content": "Bye"}]

    assert preview(messages, "user") == "Hi"
    assert preview(messages, "assistant", last=True) == "Bye"


def test_what_is_no_conversation_has_no_texts():
    assert all_texts("x") == []
    assert all_texts(["x", None, {"content": 5}]) == []
    assert preview(None, "user") == ""
