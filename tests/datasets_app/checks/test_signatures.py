import random

import numpy as np
import pytest

from datasets_app.checks.signatures import (
    N_HASHES,
    SIGNATURE_BYTES,
    likeness,
    normal,
    shingles_of,
    signatures_of,
)

KOREAN = "네더 블레이드 광역 공격은 전장의 모든 유닛에게 피해를 주고 하나만 맞힌다"
ENGLISH = "an area attack hits every unit on the battlefield and removes those"


def changed_by(sentence: str, n: int, seed: int) -> tuple[str, str]:
    """A text of 150 words, and the same with n of them replaced."""
    words = sentence.split()
    chance = random.Random(seed)
    text = [f"{chance.choice(words)}{chance.randrange(50)}" for _word in range(150)]
    other = list(text)
    for place in chance.sample(range(150), n):
        other[place] = chance.choice(words)
    return " ".join(text), " ".join(other)


@pytest.mark.parametrize("sentence", [KOREAN, ENGLISH], ids=["Korean", "English"])
@pytest.mark.parametrize("n_changed", [1, 5, 15, 60])
def test_signatures_estimate_the_likeness(sentence, n_changed):
    pairs = [changed_by(sentence, n_changed, seed) for seed in range(20)]
    errors = []
    for pair in pairs:
        one, other = (shingles_of(normal(text)) for text in pair)
        left, right = signatures_of([one, other])
        errors.append(np.mean(left == right) - likeness(one, other))

    assert abs(np.mean(errors)) < 0.02
    assert np.max(np.abs(errors)) < 0.15


def test_case_spacing_and_encoding_of_letters_do_not_matter():
    one, other = "Ｎether  Blade\n공격", "nether blade 공격"
    assert (shingles_of(normal(one)) == shingles_of(normal(other))).all()


def test_likeness_is_the_share_of_common_shingles():
    one, other = shingles_of("abcdefg"), shingles_of("abcdefgh")
    assert likeness(one, other) == 3 / 4


def test_short_texts_have_one_shingle_each():
    one, other = shingles_of("ab"), shingles_of("abc")
    assert (len(one), likeness(one, other)) == (1, 0)


def test_a_signature_has_the_size_that_is_stored():
    [signature] = signatures_of([shingles_of("some words")])
    assert (len(signature), len(signature.tobytes())) == (N_HASHES, SIGNATURE_BYTES)


def test_no_texts_have_no_signatures():
    assert len(signatures_of([])) == 0
