import pytest

from datasets_app import file_problem_texts, problem_texts
from datasets_app.chat_checks import MAX_PROBLEMS_PER_ROW, find_problems
from datasets_app.chat_format import DPO, REINFORCEMENT
from datasets_app.jsonl import BadLine, Problem, parse_object
from tests.datasets_app.bad_rows import (
    BAD_LINES,
    BAD_PREFERENCES,
    GOOD_LINES,
    REPLY,
    USER,
    preference,
)


def problems_of(line: bytes) -> list[Problem]:
    try:
        return find_problems(parse_object(line))
    except BadLine as exc:
        return [exc.problem]


@pytest.mark.parametrize(("code", "index", "line"), BAD_LINES)
def test_a_bad_line_is_named_with_its_message(code, index, line):
    found = [(problem.code, problem.message_index) for problem in problems_of(line)]

    assert (code, index) in found


@pytest.mark.parametrize(("code", "index", "record"), BAD_PREFERENCES)
def test_a_bad_preference_is_named_with_its_message(code, index, record):
    found = [
        (each.code, each.message_index) for each in find_problems(record, method=DPO)
    ]

    assert (code, index) in found


def test_two_answers_to_a_question_are_a_good_preference():
    assert find_problems(preference(USER), method=DPO) == []


def test_a_preference_is_no_supervised_row():
    (problem,) = find_problems(preference(USER))

    assert problem.code == "other_method"
    assert problem.params == {"found": "dpo", "wanted": "supervised"}


def test_a_reinforcement_row_may_end_with_the_question_and_have_a_developer():
    messages = [{"role": "developer", "content": "Be brief."}, USER]

    assert find_problems({"messages": messages}, method=REINFORCEMENT) == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({**USER, "text": "x"}, "extra_message_key"),
        ({"role": "developer", "content": "Be brief."}, "unknown_role"),
    ],
)
def test_what_an_import_would_mend_is_a_problem_of_a_record(message, code):
    (problem,) = find_problems({"messages": [message, REPLY]})

    assert (problem.code, problem.message_index) == (code, 1)


@pytest.mark.parametrize("line", GOOD_LINES)
def test_a_good_line_has_no_problem(line):
    assert problems_of(line) == []


@pytest.mark.parametrize(("code", "index", "line"), BAD_LINES)
def test_every_problem_has_words(code, index, line):
    for problem in problems_of(line):
        told = problem_texts.describe(problem.as_json())

        assert told["mend"]
        assert told["what"] != problem.code
        assert "%(" not in told["what"]


def test_every_problem_with_words_can_happen():
    bad = [*BAD_LINES, *BAD_PREFERENCES]
    happened = {code for code, _index, _row in bad}

    elsewhere = file_problem_texts.TEXTS.keys() | {"too_long"}  # test_jsonl
    # test_image_checks, test_whole_rows
    elsewhere |= {"bad_image_data", "bad_image_type", "image_too_big", "no_whole_row"}
    assert problem_texts.TEXTS.keys() - happened == elsewhere - happened


def test_a_hopeless_row_names_only_so_many_problems():
    messages = [{"role": "nobody", "content": ""}] * 100

    assert len(find_problems({"messages": messages})) == MAX_PROBLEMS_PER_ROW


def test_each_wrong_message_is_named():
    found = find_problems({"messages": [{"role": "nobody"}, {"role": "user"}, REPLY]})

    assert [(p.code, p.message_index) for p in found] == [
        ("unknown_role", 1),
        ("no_content", 1),
        ("no_content", 2),
    ]
