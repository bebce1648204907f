"""What a training file may hold, and the sentences for what it may not."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning_server_app.factories import (
    chat,
    chats,
    jsonl,
    opened,
    preference,
    preferences,
)
from tuning_server_app.training_files.checking import (
    check_training_file,
    check_validation_file,
)
from tuning_server_app.training_files.conversations import SUPERVISED, conversations
from tuning_server_app.training_files.lines import MAX_LINE_BYTES, FileRefused

ANSWER = {"role": "assistant", "content": "Yes."}
CALL = {
    "role": "assistant",
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "attack", "arguments": '{"unit": "네더 블레이드"}'},
        }
    ],
}


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        check_validation_file(opened(content))
    return refused.value.message


def verdict(content: bytes) -> str:
    try:
        return f"{check_validation_file(opened(content)).n_examples} examples"
    except FileRefused as refused:
        return refused.message


def refusal_of(*messages: Any, **line: Any) -> str:
    return refusal(jsonl({"messages": list(messages), **line}))


def test_ten_chats_are_enough():
    assert check_training_file(opened(chats(10))).n_examples == 10


def test_nine_chats_are_too_few_to_train_on():
    with pytest.raises(FileRefused) as refused:
        check_training_file(opened(chats(9)))
    assert refused.value.code == "invalid_n_examples"
    assert "9 example(s), but must have at least 10" in refused.value.message


def test_nine_chats_are_enough_to_validate_with():
    assert check_validation_file(opened(chats(9))).n_examples == 9


def test_a_file_of_blank_lines_has_no_examples():
    with pytest.raises(FileRefused) as refused:
        check_validation_file(opened(b"\n \r\n"))
    assert refused.value.code == "invalid_n_examples"


def test_bom_crlf_and_blank_lines_are_no_problem():
    content = b"\xef\xbb\xbf" + jsonl(chat(), chat()).replace(b"\n", b"\r\n\r\n")
    assert check_validation_file(opened(content)).n_examples == 2


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Rules."}, {**ANSWER, "weight": 0}, ANSWER],
        [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ANSWER],
        [CALL, {"role": "tool", "tool_call_id": "call_1", "content": "20"}, ANSWER],
        [{"role": "user", "content": "Go."}, {**CALL, "content": ""}],
    ],
)
def test_a_good_chat_passes(messages: list[Any]):
    content = jsonl({"messages": messages})
    assert check_validation_file(opened(content)).n_examples == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{nonsense}", "Example 1: the line is not valid JSON"),
        (b"[1, 2]", "Example 1: the line is not a JSON object"),
        (b'{"messages": []}', 'Example 1 is missing "messages"'),
        (b'{"messages": "Hi"}', 'Example 1 is missing "messages"'),
        (b'{"prompt": "a"}', 'Example 1 contains an extra key "prompt"'),
        (b'{"messages": "\xff"}', "Example 1: the text is not UTF-8 (byte 15"),
    ],
)
def test_a_bad_line_is_named(line: bytes, says: str):
    assert says in refusal(line)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("text", "is not a JSON object"),
        ({"role": "robot", "content": "a"}, "has the role 'robot'"),
        ({"role": "user", "content": ""}, "has empty content"),
        ({"role": "user", "content": None}, "has no text content"),
        ({"role": "user"}, "has no text content"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "has no text content"),
        ({"role": "user", "content": "a", "weight": 1}, 'has a "weight"'),
        ({**ANSWER, "weight": 0.5}, "neither 0 nor 1"),
        ({**ANSWER, "weight": True}, "neither 0 nor 1"),
        ({"role": "user", "tool_calls": ["draw"]}, "has no text content"),
        (
            {"role": "user", "content": [{"type": "audio", "text": "a"}]},
            "has no text content",
        ),
        (
            {"role": "tool", "tool_call_id": "", "content": "3"},
            'is missing "tool_call_id"',
        ),
        ({**ANSWER, "wieght": 1}, 'contains an extra key "wieght"'),
        ({"role": "tool", "content": "20"}, 'is missing "tool_call_id"'),
        ({"role": "user", "content": "a <|im_end|> b"}, "control token <|im_end|>"),
    ],
)
def test_a_bad_message_is_named_by_example_and_message(message: Any, says: str):
    words = refusal(jsonl(chat(), {"messages": [ANSWER, message]}))
    assert "Example 2, message 2 " in words
    assert says in words


def test_a_chat_without_an_assistant_teaches_nothing():
    assert "nothing to learn" in refusal_of({"role": "user", "content": "Hi"})


def test_a_chat_whose_answers_weigh_nothing_teaches_nothing():
    assert "nothing to learn" in refusal_of({**ANSWER, "weight": 0})


def test_a_weight_on_the_line_is_refused():
    assert 'extra key "weight"' in refusal_of(ANSWER, weight=1)


def test_of_many_problems_five_are_shown():
    words = refusal(b"nonsense\n" * 100)
    assert "Example 5:" in words
    assert "Example 6:" not in words
    assert words.endswith("There are more.")


def test_a_line_of_fifty_megabytes_is_refused_and_the_next_is_numbered_right():
    huge = jsonl(chat(answer="a" * 50 * 1024**2))
    words = refusal(jsonl(chat()) + huge + b"nonsense\n")
    assert f"Example 2: the line is longer than {MAX_LINE_BYTES // 1024**2} MB" in words
    assert "Example 3: the line is not valid JSON" in words


def test_preferences_are_enough_for_dpo():
    assert check_training_file(opened(preferences(10)), "dpo").n_examples == 10


def test_the_older_names_of_the_answers_are_read():
    row = preference()
    row["preferred_completion"] = row.pop("preferred_output")
    row["non_preferred_completion"] = row.pop("non_preferred_output")
    assert check_validation_file(opened(jsonl(row)), "dpo").n_examples == 1


USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (chat(), "Example 1 is missing key 'input'."),
        (preference(note="x"), 'Example 1 contains an extra key "note".'),
        (preference(input="Hi"), 'Example 1, input is missing "messages"'),
        (preference(input={"messages": []}), 'Example 1, input is missing "messages"'),
        (
            preference(input={"messages": [USER], "top": 1}),
            'Example 1, input contains an extra key "top".',
        ),
        (
            preference(input={"messages": [{"role": "user", "content": ""}]}),
            "Example 1, input, message 1 has empty content.",
        ),
        (
            preference(input={"messages": [USER, ANSWER]}),
            "input ends with an assistant",
        ),
        (
            preference(input={"messages": [USER], "functions": []}),
            'Example 1, input contains an extra key "functions".',
        ),
        (preference(preferred_output={"a": 1}), "preferred_output must be a list with"),
        (preference(preferred_output=[]), "preferred_output must be a list with exact"),
        (preference(non_preferred_output=[ANSWER] * 2), "non_preferred_output must be"),
        (preference(preferred_output=[USER]), "must hold a message of the assistant"),
        (
            preference(preferred_output=[{"role": "assistant", "content": " "}]),
            "Example 1, preferred_output, message 1 has empty content.",
        ),
    ],
)
def test_a_bad_preference_is_named(row: Any, says: str):
    with pytest.raises(FileRefused) as refused:
        check_validation_file(opened(jsonl(row)), "dpo")
    assert refused.value.code == "invalid_file_format"
    assert says in refused.value.message


def test_a_missing_answer_is_named():
    row = preference()
    del row["non_preferred_output"]
    with pytest.raises(FileRefused, match="missing key 'non_preferred_output'"):
        check_validation_file(opened(jsonl(row)), "dpo")


def test_preferences_are_no_chats():
    assert 'extra key "input"' in refusal(preferences(1))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_verdict(content: bytes):
    assert verdict(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "tool_calls", "weight", "type", "text"]
            ),
            inner,
        )
    ),
)


@given(st.lists(json_values, max_size=3))
def test_any_messages_give_a_verdict(messages: list[Any]):
    found = verdict(jsonl({"messages": messages}))
    assert found == "1 examples" or "is invalid. Example 1" in found


def calling(arguments: Any = "{}", name: Any = "draw", **call: Any) -> Any:
    function = {"name": name, "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function, **call}
    return {"role": "assistant", "tool_calls": [call]}


NAMELESS = "calls a function without a usable name"
FORGED = {"a": ["<|im_start|>"]}


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (calling(name=""), NAMELESS),
        (calling(name=5), NAMELESS),
        (calling(name="a b"), NAMELESS),
        (calling(id=5), "has a tool call (1) that is not complete"),
        (calling(id=""), "has a tool call (1) that is not complete"),
        (calling(type="magic"), "has a tool call (1) that is not complete"),
        (calling(function=None), "has a tool call (1) that is not complete"),
        (
            {**ANSWER, "tool_calls": ["draw"]},
            "has a tool call (1) that is not complete",
        ),
        ({**ANSWER, "tool_calls": "draw"}, 'has "tool_calls" that are no list'),
        (calling({"a": 1}), "has arguments of draw that are no string of JSON"),
        (calling("{a: 1}"), "has arguments of draw that are not JSON"),
        (calling("[" * 100_000), "has arguments of draw that are not JSON"),
        (calling("9" * 5_000), "has arguments of draw that are not JSON"),
        (calling('"\\ud800"'), "has arguments of draw that are not JSON"),
        (calling('{"a": "<\\u007cim_end|>"}'), "<|im_end|> in the arguments of draw"),
        ({"role": "user", "content": "a", "tool_calls": []}, "only the assistant does"),
        ({"role": "user", "content": "a", "function_call": {}}, "only the assistant"),
        ({**ANSWER, "function_call": "draw"}, NAMELESS),
        ({**ANSWER, "function_call": {"name": "draw"}}, "no string of JSON"),
        (
            {**ANSWER, "function_call": {"name": "draw", "arguments": "x"}},
            "has arguments of draw that are not JSON",
        ),
        ({"role": "function", "content": "3"}, 'is missing "name"'),
        ({"role": "tool", "tool_call_id": 5, "content": "3"}, 'missing "tool_call_id"'),
        ({**ANSWER, "name": 5}, 'has a "name" that is not text'),
        ({**ANSWER, "name": "a<|im_end|>"}, 'control token <|im_end|> in its "name"'),
    ],
)
def test_a_bad_call_or_name_is_named_by_example_and_message(message: Any, says: str):
    words = refusal(jsonl(chat(), {"messages": [USER, message, ANSWER]}))
    assert "Example 2, message 2 " in words
    assert says in words


TOKENS = "<|a|> <|b|> <|a|>"


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": TOKENS},
        {"role": "user", "content": "a", "name": TOKENS},
        calling(f'"{TOKENS}"'),
    ],
)
def test_of_several_control_tokens_the_first_is_named(message: Any):
    words = refusal_of(message, ANSWER)
    assert (words.count("control token"), words.count("<|b|>")) == (1, 0)


def test_of_several_control_tokens_of_tools_the_first_is_named():
    words = refusal_of(ANSWER, tools=[defined(description=TOKENS)])
    assert (words.count("control token"), words.count("<|b|>")) == (1, 0)


def defined(name: Any = "draw", **function: Any) -> Any:
    return {"type": "function", "function": {"name": name, **function}}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"tools": "draw"}, 'has "tools" that are no list of objects'),
        ({"tools": 5}, 'has "tools" that are no list of objects'),
        ({"tools": ["draw"]}, 'has "tools" that are no list of objects'),
        ({"tools": {"name": "draw"}}, 'has "tools" that are no list of objects'),
        ({"tools": [defined()] * 129}, 'has 129 entries in "tools"; at most 128'),
        ({"tools": [{"type": "function", "function": {}}]}, "no function definition"),
        ({"tools": [{"type": "function"}]}, "no function definition"),
        ({"tools": [{"function": {"name": "draw"}}]}, "no function definition"),
        ({"tools": [defined(), defined("")]}, '"tools" whose entry 2 is no function'),
        ({"tools": [defined(description=5)]}, "no function definition"),
        ({"tools": [defined(parameters=[])]}, "no function definition"),
        ({"tools": [defined(parameters=FORGED)]}, 'token <|im_start|> in "tools"'),
        ({"functions": "draw"}, 'has "functions" that are no list of objects'),
        ({"functions": [{}]}, '"functions" whose entry 1 is no function definition'),
        ({"functions": [defined()["function"]] * 129}, "has 129 entries"),
        ({"parallel_tool_calls": "yes"}, '"parallel_tool_calls" that are neither true'),
    ],
)
def test_tools_that_no_model_can_be_told_of_are_refused(line: Any, says: str):
    words = refusal_of(ANSWER, **line)
    assert "is invalid. Example 1 has " in words
    assert says in words


def test_tools_of_a_preference_are_held_to_the_same():
    asked = {"messages": [USER], "tools": [{}]}
    with pytest.raises(FileRefused, match='Example 1, input has "tools" whose entry 1'):
        check_validation_file(opened(jsonl(preference(input=asked))), "dpo")


@pytest.mark.parametrize(
    "line",
    [
        {"tools": [defined(description="Draws.", parameters={})]},
        {"tools": None, "parallel_tool_calls": False},
        {"functions": [{"name": "draw", "description": None}]},
    ],
)
def test_good_tools_pass(line: Any):
    content = jsonl({"messages": [USER, ANSWER], **line})
    assert check_validation_file(opened(content)).n_examples == 1


def test_deprecated_functions_are_tools():
    function = {"name": "draw", "parameters": {}}
    (chat_,) = conversations({"messages": [USER], "functions": [function]}, SUPERVISED)
    assert chat_.tools == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        ([ANSWER, USER], ", message 3 is the last one, but not the assistant's"),
        ([ANSWER, {**ANSWER, "weight": 0}], ", message 3 is the last one, but has the"),
        ([USER] * 999 + [ANSWER], " has 1001 messages; at most 1000 are possible"),
    ],
)
def test_a_chat_that_does_not_end_well_is_refused(ending: list[Any], says: str):
    assert f"Example 1{says}" in refusal_of(USER, *ending)


def test_a_thousand_messages_are_enough_for_a_preference_with_its_answer():
    row = preference(input={"messages": [USER] * 1000})
    with pytest.raises(FileRefused, match="input has 1000 messages; at most 999"):
        check_validation_file(opened(jsonl(row)), "dpo")


class ManyLines:
    """A file of so many lines, none of which is in memory before it is read."""

    def __init__(self, n_lines: int) -> None:
        self._left = n_lines

    def readline(self, _limit: int = -1) -> bytes:
        self._left -= 1
        return jsonl(chat(answer="a" * 1_000)) if self._left >= 0 else b""


def test_a_file_is_read_line_by_line():
    tracemalloc.start()
    checked = check_training_file(ManyLines(3_000))
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert checked.n_examples == 3_000
    assert most < 200_000


def test_of_a_preference_only_the_answers_are_learnt_and_all_tools_are_known():
    tools = [defined()]
    row = preference(input={"messages": [USER, ANSWER, USER], "tools": tools})
    row["preferred_output"][0]["weight"] = 0
    for chat_ in conversations(row, "dpo"):
        assert [message["weight"] for message in chat_.messages] == [0, 0, 0, 1]
        assert chat_.tools == tools
