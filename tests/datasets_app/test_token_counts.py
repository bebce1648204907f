import warnings

import pytest

from datasets_app.chat_format import all_texts
from datasets_app.token_counts import count_tokens
from tests.datasets_app.bad_rows import REPLY, USER

with warnings.catch_warnings():  # it opens its tables by a deprecated function
    warnings.simplefilter("ignore", DeprecationWarning)
    import bpe_openai


def count(record):
    return count_tokens(record, all_texts(record["messages"]))


def test_messages_cost_their_text_and_three_each_and_three_for_the_reply():
    # 3 + (3 + "user" + "Hi") + (3 + "assistant" + "Hello")
    assert count({"messages": [USER, REPLY]}) == 3 + (3 + 1 + 1) + (3 + 1 + 1)


def test_a_name_costs_its_text_and_one_more():
    named = {"messages": [{**USER, "name": "Ann"}, REPLY]}

    assert count(named) == count({"messages": [USER, REPLY]}) + 1 + 1


@pytest.mark.parametrize(
    "text",
    ["네 더 블레이드는 유닛이다.", "<|endoftext|>", "a\nb  c\t", "😀 é", "x" * 5000],
)
def test_the_encoding_is_the_one_of_gpt_4o(text):
    other = bpe_openai.get_encoding("o200k_base")
    record = {"messages": [{"role": "user", "content": text}]}

    assert count(record) == 3 + 3 + 1 + len(other.encode(text, disallowed_special=()))


def test_tools_are_estimated():
    properties = {
        "unit": {"type": "string", "description": "Which", "enum": ["a", "b"]}
    }
    tool = {
        "type": "function",
        "function": {
            "name": "hp",
            "description": "Hit points.",
            "parameters": {"type": "object", "properties": properties},
        },
    }
    encode = bpe_openai.get_encoding("o200k_base").encode
    expected = 7 + len(encode("hp:Hit points")) + 3
    expected += 3 + len(encode("unit:string:Which")) - 3 + 2 * (3 + 1) + 12

    plain = count({"messages": [USER, REPLY]})
    assert count({"messages": [USER, REPLY], "tools": [tool]}) == plain + expected


def test_an_image_costs_what_it_does_at_low_detail():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    record = {"messages": [{"role": "user", "content": [image]}]}

    assert count(record) == 3 + 3 + 1 + 85
