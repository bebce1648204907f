from typing import Any

import pytest

from datasets_app.checks.features import features_of, start_of
from datasets_app.checks.signatures import likeness


def chat(*said: str, **more: Any) -> dict[str, Any]:
    """Roles take turns; a text that begins with "system:" is a system prompt."""
    messages: list[dict[str, Any]] = []
    if said[0].startswith("system:"):
        messages.append({"role": "system", "content": said[0]})
        said = said[1:]
    for number, text in enumerate(said):
        role = "assistant" if number % 2 else "user"
        messages.append({"role": role, "content": text})
    return {"messages": messages, **more}


def test_the_answer_is_the_last_message_of_the_assistant():
    features = features_of(chat("Hi", "Hello", "What is it?", "It is a card."))
    assert features.answer_length == len("It is a card.")
    assert features.prompt_length == len("Hi\nHello\nWhat is it?")
    assert features.n_turns == 2


def test_prompts_that_differ_in_case_and_spacing_are_the_same():
    one, other = chat("What is it?", "A."), chat("what  is it? ", "B.")
    assert features_of(one).prompt_hash == features_of(other).prompt_hash
    assert features_of(one).answer_hash != features_of(other).answer_hash


@pytest.mark.parametrize(
    "other",
    [
        chat("system: Be kind.", "What is it?", "A."),
        chat("What is it?", "A.", tools=[{"type": "function"}]),
        chat("What is that?", "A."),
    ],
    ids=["system prompt", "tools", "question"],
)
def test_a_prompt_is_all_that_stands_before_the_answer(other):
    one = features_of(chat("What is it?", "A."))
    assert one.prompt_hash != features_of(other).prompt_hash


def test_sharing_a_system_prompt_makes_rows_no_more_alike():
    rules = "system: " + "Answer in one sentence. " * 50
    one, other = chat(rules, "Who?", "The knight."), chat(rules, "What?", "A card.")
    assert likeness(features_of(one).shingles, features_of(other).shingles) < 0.3
    assert features_of(one).system_hash == features_of(other).system_hash != ""


def test_of_a_preference_row_the_preferred_output_is_the_answer():
    messages = [{"role": "user", "content": "Who?"}]
    better = [{"role": "assistant", "content": "The knight."}]
    features = features_of({"messages": messages, "preferred_output": better})
    assert features.answer_start == "The knight."


def test_a_row_without_an_answer_has_none():
    features = features_of(chat("Who?"))
    assert (features.answer_hash, features.answer_start, features.language) == (
        ("",) * 3
    )
    assert features.n_turns == 1


def test_question_and_answer_have_a_language_each():
    features = features_of(chat("What does the card do?", "모든 유닛을 공격합니다."))
    assert (features.prompt_language, features.language) == ("en", "ko")


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messages": None},
        {"messages": "text"},
        {"messages": [None, 7, []]},
        {"messages": [{"role": ["x"], "content": {"a": 1}}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": 3}]},
        {"messages": [{"content": "\ud800\x00"}], "preferred_output": 5},
    ],
)
def test_a_row_that_is_no_chat_has_features_too(record):
    assert features_of(record).n_turns == 0


@pytest.mark.parametrize(
    ("answer", "language", "start"),
    [
        ("Yes,  it is a card.", "en", "Yes, it is"),
        ("네, 그 카드는 강합니다.", "ko", "네, 그 카드는"),
        ("はい、このカードは強いです。", "ja", "はい、このカ"),
        ("a" * 500, "en", "a" * 100),
        ("no\x00 NUL", "en", "no NUL"),
    ],
)
def test_an_answer_starts_with_three_words(answer, language, start):
    assert start_of(answer, language) == start
