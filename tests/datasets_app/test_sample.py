"""The sample that the first start loads and trains on."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasets_app.chat_checks import find_problems
from datasets_app.jsonl import BOM, parse_object, read_lines

FOLDER = Path(__file__).parents[2] / "datasets_app" / "sample"
FILES = {
    split: FOLDER / f"card_game.{split}.jsonl" for split in ("training", "validation")
}
HANGUL = re.compile(r"[가-힣]")


def rows_of(split: str) -> list[dict[str, Any]]:
    with FILES[split].open("rb") as file:
        return [parse_object(line.data) for line in read_lines(file)]


def texts(row: dict[str, Any], role: str) -> list[str]:
    return [each["content"] for each in row["messages"] if each["role"] == role]


def is_korean(text: str) -> bool:
    return HANGUL.search(text) is not None


def answers(split: str) -> set[str]:
    return {answer for row in rows_of(split) for answer in texts(row, "assistant")}


def questions(split: str) -> Iterator[str]:
    for row in rows_of(split):
        yield from texts(row, "user")


@pytest.mark.parametrize("split", FILES)
def test_every_row_is_valid(split):
    assert [problem for row in rows_of(split) for problem in find_problems(row)] == []


@pytest.mark.parametrize("split", FILES)
def test_the_bytes_are_plain_utf8_one_row_a_line(split):
    data = FILES[split].read_bytes()

    assert not data.startswith(BOM)
    assert b"\r" not in data
    assert data.endswith(b"\n")
    assert len(data.splitlines()) == len(rows_of(split))
    assert "\\u" not in data.decode()


@pytest.mark.parametrize(("split", "fewest"), [("training", 24), ("validation", 6)])
def test_there_are_enough_rows_in_each_language(split, fewest):
    korean = [is_korean("".join(texts(row, "user"))) for row in rows_of(split)]

    assert len(korean) >= fewest
    assert korean.count(True) >= fewest // 2
    assert korean.count(False) >= fewest // 2


@pytest.mark.parametrize("split", FILES)
def test_a_question_is_answered_in_its_language(split):
    for row in rows_of(split):
        asked = [is_korean(text) for text in texts(row, "user")]
        answered = [is_korean(text) for text in texts(row, "assistant")]

        assert asked == answered


def test_no_validation_question_is_trained_on():
    assert set(questions("training")).isdisjoint(questions("validation"))


def test_every_validation_answer_is_a_trained_one():
    assert answers("validation") <= answers("training")


def test_no_question_comes_twice():
    asked = [*questions("training"), *questions("validation")]

    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("split", FILES)
@pytest.mark.parametrize("fact", ["10 damage", "20 damage", "30 HP", "50 HP"])
def test_both_splits_tell_the_damage(split, fact):
    assert any(fact in answer for answer in answers(split))
