from typing import Any

from datasets_app.checks.features import features_of
from datasets_app.checks.rows import MAX_FINDINGS_PER_ROW, row_findings
from datasets_app.jsonl import Problem


def findings(*messages: dict[str, Any], **more: Any) -> list[Problem]:
    record = {"messages": list(messages), **more}
    return row_findings(record, features_of(record))


def codes(*messages: dict[str, Any]) -> list[str]:
    return [problem.code for problem in findings(*messages)]


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


ASKED, ANSWERED = said("user", "What is it?"), said("assistant", "It is a card.")


def test_a_good_row_has_none():
    assert codes(ASKED, ANSWERED) == []


def test_weights_that_are_all_zero_are_found():
    silent = said("assistant", "It is a card.", weight=0)
    assert codes(ASKED, silent, ASKED, silent) == ["every_weight_zero"]
    assert codes(ASKED, silent, ASKED, ANSWERED) == []


def test_private_data_is_named_by_message_and_kind_once_each():
    text = "Call 010-1234-5678 or 010-9876-5432, write to kim@company.kr"
    [phone, email] = findings(ASKED, said("assistant", text))
    assert (phone.code, phone.message_index) == ("phone", 2)
    assert phone.params == {"kind": "phone", "masked": "***-****-5678"}
    assert email.code == "email"


def test_private_data_in_a_part_and_in_arguments_is_found():
    part = said("user", [{"type": "text", "text": "I am kim@company.kr"}])
    call = {"function": {"name": "mail", "arguments": '{"to": "lee@company.kr"}'}}
    found = findings(part, said("assistant", None, tool_calls=[call]))
    assert {(p.code, p.message_index) for p in found} >= {("email", 1), ("email", 2)}


def test_an_answer_with_blanks_around_it_is_found():
    [problem] = findings(ASKED, said("assistant", "It is a card.\n"))
    assert (problem.code, problem.message_index) == ("untrimmed_answer", 2)


def test_an_answer_in_another_language_is_found():
    [problem] = findings(ASKED, said("assistant", "그것은 카드입니다."))
    assert problem.code == "mixed_languages"
    assert problem.params == {"asked": "en", "answered": "ko"}


def test_a_row_has_only_so_many():
    letters = [said("user", f"I am kim{n}@company.kr") for n in range(50)]
    assert len(findings(*letters, ANSWERED)) == MAX_FINDINGS_PER_ROW


def test_both_outputs_of_a_preference_are_read():
    found = findings(
        ASKED,
        preferred_output=[said("assistant", "Ask kim@company.kr.")],
        non_preferred_output=[said("assistant", "Ask lee@company.kr.")],
    )
    assert [(p.code, p.message_index) for p in found] == [("email", 2), ("email", 3)]


def test_further_keys_are_read():
    [problem] = findings(ASKED, extra={"answers": [{"text": "kim@company.kr"}]})
    assert (problem.code, problem.message_index) == ("email", None)
