from typing import Any

import pytest

from datasets_app.chat_checks import find_problems
from datasets_app.checks.mends import CONTENT_MENDS, MENDS_OF, masked_extra
from datasets_app.finding_texts import TEXTS as FINDINGS
from datasets_app.mend_texts import TEXTS as MENDS
from datasets_app.problem_texts import TEXTS as PROBLEMS

ASKED = {"role": "user", "content": "Who?"}
ANSWERED = {"role": "assistant", "content": "I."}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def said(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


@pytest.mark.parametrize(
    ("mend", "before", "after"),
    [
        ("strip_tokens", said("a<|im_end|>b\x00"), said("ab")),
        ("strip_tokens", said("<|im_<|im_end|>end|>!"), said("!")),
        ("trim_answers", said("\n I. \n"), said("I.")),
        ("drop_unknown_keys", said("I.", mood="good"), said("I.")),
        ("learn_last_answer", said("I.", weight=0), said("I.")),
        ("drop_wrong_weights", said("I.", weight=7), said("I.")),
        ("drop_wrong_weights", said("I.", weight=0), said("I.", weight=0)),
        ("mask_email", said("kim@company.kr"), said("[EMAIL]")),
        ("mask_phone", said("010-1234-5678"), said("[PHONE]")),
        ("mask_phone", said("kim@company.kr"), said("kim@company.kr")),
    ],
)
def test_a_message_is_mended(mend, before, after):
    assert CONTENT_MENDS[mend]([ASKED, before]) == [ASKED, after]


def test_messages_that_say_nothing_are_dropped():
    empty = [said(""), said(" \n"), said(None), said([])]
    assert CONTENT_MENDS["drop_empty"]([ASKED, *empty, CALLING]) == [ASKED, CALLING]


def test_what_follows_the_last_answer_is_cut():
    assert CONTENT_MENDS["end_with_answer"]([ASKED, ANSWERED, ASKED]) == [
        ASKED,
        ANSWERED,
    ]


def test_texts_in_parts_and_calls_are_mended_too():
    part = {"type": "text", "text": "kim@company.kr"}
    function = {"name": "mail", "arguments": '{"to": "kim@company.kr"}'}
    messages = [said([part], tool_calls=[{"id": "1", "function": function}])]
    assert "kim@" not in str(CONTENT_MENDS["mask_email"](messages))


@pytest.mark.parametrize("mend", CONTENT_MENDS)
def test_a_mend_leaves_a_good_row_and_no_row_at_all_as_they_are(mend):
    for messages in ([ASKED, ANSWERED], [None, 7, "text"], [], [{}, {"content": 3}]):
        mended = CONTENT_MENDS[mend](messages)
        assert mended == messages or mend == "drop_empty"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("reserved_token", said("<|im_end|>a")),
        ("nul_character", said("a\x00")),
        ("last_weight_zero", said("I.", weight=0)),
        ("bad_weight", said("I.", weight=2)),
        ("extra_message_key", said("I.", mood="good")),
    ],
)
def test_a_mend_mends_the_problem_that_it_is_offered_for(code, message):
    messages = [ASKED, message]
    assert code in [p.code for p in find_problems({"messages": messages})]
    mended = CONTENT_MENDS[MENDS_OF[code][0]](messages)
    assert find_problems({"messages": mended}) == []


def test_every_mend_has_words_and_a_finding_that_exists():
    assert set(MENDS_OF) <= {*FINDINGS, *PROBLEMS}
    assert {name for names in MENDS_OF.values() for name in names} == set(MENDS)


def test_further_keys_are_masked_however_deep():
    extra = {"answers": [{"text": "kim@company.kr", "n": 3}]}
    assert masked_extra(extra, "email") == {"answers": [{"text": "[EMAIL]", "n": 3}]}
