import warnings
from typing import Any

import pytest

from datasets_app.token_counts import openai_counter
from tests.datasets_app.bad_rows import REPLY, USER

with warnings.catch_warnings():  # it opens its tables by a deprecated function
    warnings.simplefilter("ignore", DeprecationWarning)
    import bpe_openai

ENCODINGS = ("o200k_base", "cl100k_base")
PROPERTIES = {"unit": {"type": "string", "description": "Which", "enum": ["a", "b"]}}
TOOL = {
    "type": "function",
    "function": {
        "name": "hp",
        "description": "Hit points.",
        "parameters": {"type": "object", "properties": PROPERTIES},
    },
}


def count(record, encoding="o200k_base"):
    return openai_counter(encoding).count(record)


def test_messages_cost_their_text_and_three_each_and_three_for_the_reply():
    # 3 + (3 + "user" + "Hi") + (3 + "assistant" + "Hello")
    assert count({"messages": [USER, REPLY]}) == 3 + (3 + 1 + 1) + (3 + 1 + 1)


def test_a_name_costs_its_text_and_one_more():
    named = {"messages": [{**USER, "name": "Ann"}, REPLY]}

    assert count(named) == count({"messages": [USER, REPLY]}) + 1 + 1


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "text",
    ["네 더 블레이드는 유닛이다.", "<|endoftext|>", "a\nb  c\t", "😀 é", "x" * 5000],
)
def test_texts_are_cut_as_by_another_implementation(text, encoding):
    other = bpe_openai.get_encoding(encoding)
    record = {"messages": [{"role": "user", "content": text}]}

    expected = 3 + 3 + 1 + len(other.encode(text, disallowed_special=()))
    assert count(record, encoding) == expected


@pytest.mark.parametrize(
    ("encoding", "per_function"), [*zip(ENCODINGS, (7, 10), strict=True)]
)
def test_tools_are_estimated_as_for_the_models_of_the_encoding(encoding, per_function):
    encode = bpe_openai.get_encoding(encoding).encode
    expected = per_function + len(encode("hp:Hit points")) + 3
    expected += 3 + len(encode("unit:string:Which")) - 3 + 2 * (3 + 1) + 12

    plain = count({"messages": [USER, REPLY]}, encoding)
    with_tool = count({"messages": [USER, REPLY], "tools": [TOOL]}, encoding)
    assert with_tool == plain + expected


def test_an_image_costs_what_it_does_at_low_detail():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    record = {"messages": [{"role": "user", "content": [image]}]}

    assert count(record) == 3 + 3 + 1 + 85


def test_a_preference_costs_its_prompt_once_and_both_its_outputs():
    row = {
        "messages": [USER],
        "preferred_output": [REPLY],
        "non_preferred_output": [{**REPLY, "content": "Hello there"}],
    }

    better, worse = count({"messages": [USER, REPLY]}), (3 + 1 + 2)
    assert count(row) == better + worse


def test_the_messages_sum_up_to_the_whole_without_the_replys_start():
    record = {"messages": [USER, REPLY, {**USER, "name": "Ann"}]}

    shares = openai_counter().per_message(record)

    assert shares == [5, 5, 7]
    assert sum(shares) == count(record) - 3


@pytest.mark.parametrize("record", [{}, {"messages": 3}, {"messages": [3, None]}])
def test_what_is_no_conversation_counts_without_an_error(record):
    assert count(record) >= 3


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_many_records_are_counted_as_each_by_itself(encoding):
    counter = openai_counter(encoding)
    records: list[dict[str, Any]] = [
        {"messages": [USER, REPLY]},
        {},
        {"messages": [{**USER, "name": "Ann", "content": "a\x00b <|im_end|> 네 😀"}]},
        {"messages": [USER, REPLY], "tools": [TOOL, {"function": {"name": "x"}}]},
        {"messages": [USER], "preferred_output": [REPLY]},
        {"messages": [{"role": "user", "content": ""}]},
    ]

    assert counter.count_all(records) == [counter.count(each) for each in records]
    assert counter.count_all([]) == []
