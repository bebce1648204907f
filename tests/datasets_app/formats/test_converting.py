"""What a row of each kind becomes: lossless, and valid where the contract allows."""

import json

import pytest

from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import DPO, REINFORCEMENT, canonical_line
from datasets_app.formats import convert, guess_mapping, method_of
from datasets_app.jsonl import BadLine
from tests.datasets_app.bad_rows import GOOD_LINES, OTHER, PREFERRED, REPLY, USER

SYSTEM = {"role": "system", "content": "Be brief."}
DEVELOPER = {"role": "developer", "content": "Be brief."}
OUTPUTS = {"preferred_output": PREFERRED, "non_preferred_output": OTHER}


@pytest.mark.parametrize("line", GOOD_LINES)
def test_a_good_chat_is_its_own_record(line):
    row = json.loads(line)

    assert convert(row, "chat") == row


def test_a_developer_is_a_system_message_that_remembers_its_word():
    record = convert({"messages": [DEVELOPER, USER, REPLY]}, "chat")

    assert record["messages"] == [SYSTEM, USER, REPLY]
    assert record["extra"] == {"messages": {"1": {"role": "developer"}}}
    assert find_problems(record) == []


def test_a_task_keeps_its_developer_and_what_its_grader_reads():
    record = convert({"messages": [DEVELOPER, USER], "answer": 0.5}, "rft")

    assert record == {"messages": [DEVELOPER, USER], "extra": {"answer": 0.5}}
    assert json.loads(canonical_line(record, REINFORCEMENT))["answer"] == 0.5


def test_harmless_keys_are_kept_beside_the_row():
    row = {"messages": [{**USER, "id": 7}, REPLY], "source": "forum", "extra": None}
    record = convert(row, "chat")

    assert record == {
        "messages": [USER, REPLY],
        "extra": {"source": "forum", "extra": None, "messages": {"1": {"id": 7}}},
    }
    assert find_problems(record) == []


def test_a_weight_on_the_row_stays_a_problem():
    (problem,) = find_problems(
        convert({"messages": [USER, REPLY], "weight": 1}, "chat")
    )

    assert (problem.code, problem.params) == ("extra_key", {"key": "weight"})


@pytest.mark.parametrize(
    "outputs",
    [OUTPUTS, {key.replace("output", "completion"): v for key, v in OUTPUTS.items()}],
)
def test_a_preference_is_read_under_its_new_and_its_old_names(outputs):
    given = {"messages": [USER], "parallel_tool_calls": True, "note": "x"}
    record = convert({"input": given, **outputs, "by": "Ann"}, "dpo")

    assert record == {
        "messages": [USER],
        "parallel_tool_calls": True,
        **OUTPUTS,
        "extra": {"by": "Ann", "input": {"note": "x"}},
    }
    assert find_problems(record, method=DPO) == []


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"},
        {"prompt": [USER], "chosen": PREFERRED, "rejected": OTHER},
        {"prompt": "Hi", "chosen": [USER, *PREFERRED], "rejected": [USER, *OTHER]},
        {"chosen": [USER, *PREFERRED], "rejected": [USER, *OTHER]},
    ],
)
def test_a_chosen_and_a_rejected_answer_are_a_preference(row):
    assert convert(row, "dpo") == {"messages": [USER], **OUTPUTS}


def test_a_preference_without_one_output_is_no_chat():
    record = convert({"input": {"messages": [USER]}, "preferred_output": []}, "dpo")
    codes = [problem.code for problem in find_problems(record, method=DPO)]

    assert codes == ["not_one_output", "not_one_output"]


def test_alpaca_has_earlier_turns_and_an_input():
    row = {
        "instruction": "Translate.",
        "input": "Hallo",
        "output": "Hello",
        "system": "Be brief.",
        "history": [["Hi", "Hello"]],
        "source": "forum",
    }
    record = convert(row, "alpaca")

    assert record["messages"] == [
        SYSTEM,
        USER,
        REPLY,
        {"role": "user", "content": "Translate.\nHallo"},
        REPLY,
    ]
    assert record["extra"] == {"source": "forum"}


def test_an_empty_prompt_is_no_message():
    assert convert({"prompt": "", "completion": "Hello"}, "prompt_completion") == {
        "messages": [REPLY]
    }


def test_sharegpt_calls_tools_and_gets_their_answers():
    tool = {"name": "hp", "parameters": {"type": "object"}}
    called = json.dumps({"name": "hp", "arguments": {"of": "Ann"}})
    row = {
        "system": "Be brief.",
        "tools": json.dumps([tool]),
        "conversations": [
            {"from": "human", "value": "Hi"},
            {"from": "function_call", "value": called},
            {"from": "observation", "value": "30"},
            {"from": "gpt", "value": "Hello", "weight": 1, "id": "x"},
        ],
    }
    record = convert(row, "sharegpt")

    assert find_problems(record) == []
    assert record["tools"] == [{"type": "function", "function": tool}]
    assert record["extra"] == {"messages": {"5": {"id": "x"}}}
    system, user, call, answer, reply = record["messages"]
    assert (system, user) == (SYSTEM, USER)
    assert call["tool_calls"][0]["function"]["arguments"] == '{"of":"Ann"}'
    assert answer["tool_call_id"] == call["tool_calls"][0]["id"]
    assert reply == {**REPLY, "weight": 1}


@pytest.mark.parametrize("calls", ["none", {"id": 1}, [None, {"name": "hp"}], 5])
def test_calls_that_a_turn_brings_along_may_be_anything(calls):
    turns = [{"from": "gpt", "value": "", "tool_calls": calls}, {"from": "tool"}]
    found = find_problems(convert({"conversations": turns}, "sharegpt"))

    assert {"tool_calls_not_list", "bad_tool_call"} & {each.code for each in found}


def test_a_column_may_hold_a_whole_conversation_of_either_kind():
    for turns in ([USER, REPLY], [{"from": "human", "value": "Hi"}, REPLY]):
        row = {"chat": json.dumps(turns), "id": 1}
        record = convert(row, "columns", {"messages": "chat"})

        assert record == {"messages": [USER, REPLY], "extra": {"id": 1}}


def test_columns_may_hold_a_better_and_a_worse_answer():
    mapping = {"user": "q", "preferred": "a", "non_preferred": "b"}
    record = convert({"q": "Hi", "a": "Hello!", "b": "What?"}, "csv", mapping)

    assert record == {"messages": [USER], **OUTPUTS}
    assert method_of("csv", mapping) == DPO


def test_an_empty_system_cell_is_no_message_but_an_empty_answer_is_a_problem():
    mapping = {"system": "s", "user": "q", "assistant": "a"}
    record = convert({"s": "", "q": "Hi", "a": ""}, "csv", mapping)
    (problem,) = find_problems(record)

    assert (problem.code, problem.message_index) == ("empty_content", 2)


def test_a_text_that_begins_with_a_bracket_is_text():
    row = {"prompt": "[1] Hi", "completion": "Hello"}
    record = convert(row, "csv", {"kind": "prompt_completion"})

    assert record["messages"][0]["content"] == "[1] Hi"


@pytest.mark.parametrize(
    ("columns", "mapping"),
    [
        (["Question", "Answer"], {"user": "Question", "assistant": "Answer"}),
        (["질문", "답변"], {"user": "질문", "assistant": "답변"}),
        (["instruction", "output"], {"kind": "alpaca"}),
        (["prompt", "chosen", "rejected"], {"kind": "dpo"}),
        (["messages", "answer"], {"messages": "messages"}),
        (
            ["question", "answer", "better", "worse"],
            {"user": "question", "preferred": "better", "non_preferred": "worse"},
        ),
        (["a", "b"], {}),
    ],
)
def test_likely_columns_are_guessed(columns, mapping):
    assert guess_mapping(columns) == mapping


def test_a_row_of_another_method_is_told_so():
    with pytest.raises(BadLine) as caught:
        convert({"input": {"messages": [USER]}, **OUTPUTS}, "chat")

    assert caught.value.problem.params == {"found": "dpo", "wanted": "supervised"}
