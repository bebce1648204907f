import random

import numpy as np

from datasets_app.checks.near import FEW, MOST_TRIED, Groups, candidates
from datasets_app.checks.signatures import N_HASHES, shingles_of, signatures_of


def texts(n: int) -> list[str]:
    """Each pair (0, 1), (2, 3), … differs in one word of a hundred."""
    chance = random.Random(3)
    made = []
    for _pair in range(n // 2):
        words = [f"word{chance.randrange(10_000)}" for _word in range(100)]
        made.append(" ".join(words))
        words[chance.randrange(100)] = "changed"
        made.append(" ".join(words))
    return made


def pairs(signatures, is_new, groups) -> set[tuple[int, int]]:
    return {
        (min(a, b), max(a, b))
        for left, right in candidates(signatures, is_new, groups)
        for a, b in zip(left.tolist(), right.tolist(), strict=True)
    }


def signatures_for(n: int):
    return signatures_of([shingles_of(text) for text in texts(n)])


def test_all_rows_are_compared_by_bands():
    n = 4 * FEW
    found = pairs(signatures_for(n), np.ones(n, bool), Groups(n))
    assert found == {(row, row + 1) for row in range(0, n, 2)}


def test_a_new_row_is_compared_with_every_other():
    n = 4 * FEW
    is_new = np.arange(n) == 7
    assert pairs(signatures_for(n), is_new, Groups(n)) == {(6, 7)}


def test_of_many_rows_only_pairs_with_a_new_one_are_compared():
    n = 4 * FEW
    is_new = np.arange(n) < n // 2
    found = pairs(signatures_for(n), is_new, Groups(n))
    assert found == {(row, row + 1) for row in range(0, n // 2, 2)}


def test_rows_of_one_group_are_not_compared_again():
    n = 4 * FEW
    groups = Groups(n)
    for row in range(0, n, 2):
        groups.join(row, row + 1)
    assert pairs(signatures_for(n), np.ones(n, bool), groups) == set()


def test_a_thousand_equal_rows_are_a_thousand_pairs_not_a_million():
    signatures, groups = np.zeros((1_000, N_HASHES), np.uint16), Groups(1_000)
    n_pairs = 0
    for left, right in candidates(signatures, np.ones(1_000, bool), groups):
        n_pairs += len(left)
        for pair in zip(left.tolist(), right.tolist(), strict=True):
            groups.join(*pair)
    assert n_pairs < 2_000


def test_a_row_that_is_like_none_of_its_neighbours_is_tried_so_often_only():
    signatures = np.zeros((1_000, N_HASHES), np.uint16)
    found = candidates(signatures, np.ones(1_000, bool), Groups(1_000))
    n_pairs = sum(len(left) for left, _right in found)
    assert 10_000 < n_pairs <= 1_000 * (MOST_TRIED + 1)


def of_one_template(n: int) -> list[str]:
    """Any two are about 0.75 alike, each pair (0, 1), (2, 3), … about 0.9."""
    chance = random.Random(3)
    template = [f"word{chance.randrange(10_000)}" for _word in range(120)]
    made = []
    for _pair in range(n // 2):
        words = list(template)
        for place in chance.sample(range(120), 6):
            words[place] = f"other{chance.randrange(10_000)}"
        made.append(" ".join(words))
        for place in chance.sample(range(120), 7):
            words[place] = "changed"
        made.append(" ".join(words))
    return made


def test_near_copies_are_found_among_hundreds_of_rows_of_one_template():
    n = 1_000
    signatures = signatures_of([shingles_of(text) for text in of_one_template(n)])
    found = pairs(signatures, np.ones(n, bool), Groups(n))
    wanted = {(row, row + 1) for row in range(0, n, 2)}

    assert len(found & wanted) > 0.97 * len(wanted)


def test_a_group_is_known_by_its_lowest_row():
    groups = Groups(6)
    for one, other in ((4, 5), (2, 4), (5, 1)):
        groups.join(one, other)
    assert groups.all_lowest().tolist() == [0, 1, 1, 3, 1, 1]


def test_equal_rows_meet_however_many_others_share_every_band():
    n = 4 * FEW
    signatures = np.zeros((n, N_HASHES), np.uint16)
    signatures[:, -1] = np.arange(n) % (n // 2)  # equal: each with the one n/2 later
    found = pairs(signatures, np.ones(n, bool), Groups(n))

    assert {(row, row + n // 2) for row in range(n // 2)} <= found
