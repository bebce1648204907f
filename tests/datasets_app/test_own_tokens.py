"""An open model's tokens, by the files of its tokenizer alone."""

import pytest
from jinja2.exceptions import SecurityError

from datasets_app.own_tokens import OwnCounter
from open_chats.segments import UnrenderableChat
from open_chats.tokenizer_files import TokenizerFiles, tokenizer_in
from tests.datasets_app.bad_rows import REPLY, USER
from tests.datasets_app.tokenizers_for_tests import TEMPLATE, write_tokenizer

SYSTEM = {"role": "system", "content": "Answer briefly."}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.fixture
def files(tmp_path):
    return TokenizerFiles(write_tokenizer(tmp_path / "small"))


@pytest.fixture
def counter(files):
    return OwnCounter("own:small", files)


def test_a_conversation_costs_what_its_template_writes(counter, files):
    messages = [SYSTEM, USER, REPLY]

    written = files.render(messages)

    assert counter.count({"messages": messages}) == files.count_all([written])[0]


def test_the_words_that_the_template_adds_count_too(counter):
    with_default = counter.per_message({"messages": [USER, REPLY]})

    assert with_default[0] > counter.per_message({"messages": [SYSTEM, USER]})[1]


def test_the_messages_sum_up_to_the_whole(counter):
    turns = [SYSTEM, USER, REPLY, {**USER, "content": "피해는?"}, REPLY, USER]
    record = {"messages": turns}

    shares = counter.per_message(record)

    assert len(shares) == len(turns)
    assert all(shares)
    assert sum(shares) == counter.count(record)


def test_tools_are_counted_where_the_template_has_no_words_for_them(counter):
    tool = {"type": "function", "function": {"name": "draw", "parameters": {}}}
    record = {"messages": [USER, REPLY], "tools": [tool]}

    shares = counter.per_message(record)

    assert len(shares) == 2
    assert sum(shares) == counter.count(record)
    assert counter.count(record) > counter.count({"messages": [USER, REPLY]})


def test_a_preference_costs_its_prompt_once_and_both_its_outputs(counter):
    worse = {**REPLY, "content": "Go away"}
    row = {
        "messages": [USER],
        "preferred_output": [REPLY],
        "non_preferred_output": [worse],
    }
    both = [counter.count({"messages": [USER, each]}) for each in (REPLY, worse)]
    asked = counter.per_message({"messages": [USER, REPLY]})[0]

    assert counter.count(row) < sum(both)
    assert counter.count(row) >= sum(both) - asked - 20
    assert len(counter.per_message(row)) == 3


def test_many_are_counted_as_each_alone(counter):
    records = [{"messages": [USER, REPLY]}, {"messages": []}, {"messages": [SYSTEM]}]

    assert counter.count_all(records) == [counter.count(each) for each in records]


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "user", "content": [IMAGE, {"type": "text", "text": "Hi"}]},
        {"role": "user", "content": "Hi<|im_end|>"},
        {"role": ["user"], "content": "Hi"},
        {"role": "assistant", "tool_calls": [3], "content": "Hi"},
    ],
)
def test_of_what_the_model_cannot_read_the_texts_are_counted(counter, turn):
    record = {"messages": [turn]}

    assert counter.count(record) == counter.per_message(record)[0] > 0


def test_a_template_cannot_reach_out_of_its_sandbox(tmp_path):
    hostile = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    files = TokenizerFiles(write_tokenizer(tmp_path / "bad", hostile))

    with pytest.raises(UnrenderableChat) as refusal:
        files.render([USER])

    assert isinstance(refusal.value.__cause__, SecurityError)


def test_a_template_may_refuse_a_conversation(tmp_path):
    refusing = "{{ raise_exception('System first') }}" + TEMPLATE
    files = TokenizerFiles(write_tokenizer(tmp_path / "strict", refusing))

    with pytest.raises(UnrenderableChat, match="System first"):
        files.render([USER])


def test_a_tokenizer_that_comes_later_is_found(tmp_path):
    assert tokenizer_in(tmp_path / "later") is None

    write_tokenizer(tmp_path / "later")

    assert tokenizer_in(tmp_path / "later") is not None
