import random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.text_diff import elided, word_diff

WORDS = st.lists(st.sampled_from(["a", "b", " ", "\n", "네", "x1", "."]), max_size=40)
TEXTS = WORDS.map("".join)


def rebuilt(parts, left_out: str) -> str:
    return "".join(text for op, text in parts if op != left_out)


@given(TEXTS, TEXTS)
def test_the_parts_are_both_texts(before, after):
    parts = word_diff(before, after)

    assert rebuilt(parts, "insert") == before
    assert rebuilt(parts, "delete") == after
    assert all(text for _op, text in parts)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("one two three", "one 2 three", [("delete", "two"), ("insert", "2")]),
        ("피해를 20 입는다", "피해를 10 입는다", [("delete", "20"), ("insert", "10")]),
        (
            "블레이드는 강하다",
            "블레이드가 강하다",
            [("delete", "블레이드는"), ("insert", "블레이드가")],
        ),
        ("東京は", "東北は", [("delete", "京"), ("insert", "北")]),
        ("same", "same", []),
        ("", "new", [("insert", "new")]),
        ("old", "", [("delete", "old")]),
        ("a b c", "x y c", [("delete", "a b"), ("insert", "x y")]),
    ],
)
def test_whole_words_change(before, after, changed):
    assert [p for p in word_diff(before, after) if p[0] != "equal"] == changed


def test_far_apart_texts_are_one_replaced_by_the_other():
    numbers = random.Random(1)
    before, after = (
        " ".join(str(numbers.randrange(10**9)) for _ in range(3_000)) for _ in range(2)
    )

    assert word_diff(before, after) == [("delete", before), ("insert", after)]


def test_one_changed_line_among_many_is_found_by_word():
    lines = [f"line {n} says {n * n}\n" for n in range(4_000)]
    changed = [line.replace("says", "tells") for line in lines[:100]] + lines[100:]
    parts = word_diff("".join(lines), "".join(changed))

    assert ("delete", "says") in parts
    assert ("insert", "tells") in parts


@pytest.mark.parametrize("unit", ["a b ", "x", "네 ", "\n", "가"])
def test_the_time_is_bounded(unit):
    """The worst that repetition can do; minutes without the limits."""
    before = unit * 40_000
    after = unit.join(str(n) for n in range(20_000))
    started = perf_counter()
    parts = word_diff(before, after)

    assert rebuilt(parts, "delete") == after
    assert perf_counter() - started < 20


def test_long_equal_parts_are_cut():
    parts = word_diff("w " * 500 + "old" + " v" * 500, "w " * 500 + "new" + " v" * 500)
    (_e, first), *changes, (_e, last) = elided(parts, around=10)

    assert (first, last) == (" … w w w w w ", " v v v v v … ")
    assert changes == [("delete", "old"), ("insert", "new")]
