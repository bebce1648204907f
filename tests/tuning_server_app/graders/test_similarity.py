"""Metrics of likeness, beside numbers worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning_server_app.graders.similarity import METRICS

CAT = "the cat sat on the mat"
HAT = "the cat sat on the hat"


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("text", [CAT + " all day", "이 카드의 공격력은 지금 20"])
def test_the_same_text_is_worth_one(metric: str, text: str):
    assert METRICS[metric](text, text) == pytest.approx(1)


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_in_common_is_worth_nothing(metric: str):
    assert METRICS[metric]("aaabbb", "ccc ddd") == 0


@pytest.mark.parametrize(
    ("metric", "worth"),
    [
        ("rouge_1", 5 / 6),
        ("rouge_2", 4 / 5),
        ("rouge_3", 3 / 4),
        ("rouge_4", 2 / 3),
        ("rouge_5", 1 / 2),
        ("rouge_l", 5 / 6),
        ("gleu", (5 + 4 + 3 + 2) / (6 + 5 + 4 + 3)),
        ("bleu", (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25),
        ("fuzzy_match", 21 / 22),
    ],
)
def test_one_word_of_six_is_another(metric: str, worth: float):
    assert METRICS[metric](HAT, CAT) == pytest.approx(worth)


def test_a_short_answer_is_not_a_good_one():
    assert METRICS["bleu"]("the cat", CAT) == pytest.approx(2.718281828 ** (1 - 6 / 2))


def test_a_long_answer_is_only_worth_its_right_part():
    worth = METRICS["bleu"](f"{CAT} now", CAT)
    assert worth == pytest.approx((6 / 7 * 5 / 6 * 4 / 5 * 3 / 4) ** 0.25)


@pytest.mark.parametrize("texts", [("the cat", CAT), (CAT, "the cat")])
def test_the_longer_text_decides_what_is_alike(texts: tuple[str, str]):
    assert METRICS["gleu"](*texts) == pytest.approx((2 + 1) / (6 + 5 + 4 + 3))


@pytest.mark.parametrize("metric", METRICS)
def test_a_word_and_none_have_nothing_in_common(metric: str):
    assert METRICS[metric]("", "cat") == METRICS[metric]("cat", "") == 0


@pytest.mark.parametrize("metric", ["bleu", "gleu", "fuzzy_match"])
def test_nothing_is_all_of_nothing(metric: str):
    assert METRICS[metric]("", "") == 1


def test_what_no_gram_supports_is_smoothed():
    """One word is right; the pairs count a half, the threes a quarter."""
    assert METRICS["bleu"]("the red dog", "the cat sat") == pytest.approx(
        (1 / 3 * (1 / 2) / 2 * (1 / 4) / 1) ** (1 / 3)
    )


def test_case_matters_to_bleu_and_not_to_rouge():
    assert METRICS["rouge_l"](CAT.upper(), CAT) == 1
    assert METRICS["bleu"](CAT.upper(), CAT) == 0


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(sorted(METRICS)))
def test_every_pair_has_a_worth(text: str, reference: str, metric: str):
    assert 0 <= METRICS[metric](text, reference) <= 1 + 1e-9
