import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.splitting import Row, rows_astride, validation_rows


def make_row(pk: int, **overrides) -> Row:
    key = int.from_bytes(hashlib.sha256(str(pk).encode()).digest()[:8], "big")
    return Row(**{"pk": pk, "key": key, **overrides})


def test_about_the_share_is_chosen():
    assert len(validation_rows(map(make_row, range(1, 101)), 0.1)) == 10


def test_the_order_of_the_rows_does_not_matter():
    rows = [make_row(pk) for pk in range(1, 101)]

    assert validation_rows(rows, 0.2) == validation_rows(rows[::-1], 0.2)


def test_rows_that_are_added_move_few_others():
    rows = [make_row(pk) for pk in range(1, 1_001)]
    before = validation_rows(rows[:990], 0.1)
    after = validation_rows(rows, 0.1) & {row.pk for row in rows[:990]}

    assert len(before ^ after) <= 10


def test_every_tag_gets_its_share():
    rows = [make_row(pk, stratum="rare" if pk % 10 == 0 else "") for pk in range(1000)]
    chosen = validation_rows(rows, 0.1)

    assert Counter(row.stratum for row in rows if row.pk in chosen) == {
        "": 90,
        "rare": 10,
    }


def test_many_small_tags_together_get_the_share():
    rows = [make_row(pk, stratum=str(pk % 50)) for pk in range(200)]

    assert len(validation_rows(rows, 0.1)) == 20


def test_near_duplicates_stay_together():
    rows = [make_row(pk, group=pk // 4) for pk in range(1, 401)]
    chosen = validation_rows(rows, 0.3)

    assert len({row.group for row in rows if row.pk in chosen}) == pytest.approx(30)
    for group in range(100):
        members = {row.pk for row in rows if row.group == group}
        assert members <= chosen or not members & chosen


def test_rows_of_the_same_content_stay_together():
    rows = [make_row(pk, key=pk // 2) for pk in range(100)]
    chosen = validation_rows(rows, 0.3)

    assert len(chosen) == 30
    assert {pk ^ 1 for pk in chosen} == chosen


def test_a_pinned_row_stays_where_it_is():
    rows = [make_row(pk, pinned=pk <= 5 if pk <= 10 else None) for pk in range(1, 101)]
    chosen = validation_rows(rows, 0.1)

    assert chosen >= {1, 2, 3, 4, 5}
    assert not chosen & {6, 7, 8, 9, 10}
    assert len(chosen) == 10


def test_near_duplicates_of_a_pinned_row_go_with_it():
    rows = [make_row(1, group=1, pinned=True), make_row(2, group=1)]

    assert validation_rows(rows, 0) == {1, 2}


def test_where_pins_disagree_the_others_are_trained_on():
    pins = [make_row(1, group=1, pinned=True), make_row(2, group=1, pinned=False)]

    assert validation_rows([*pins, make_row(3, group=1)], 0.5) == {1}


sizes = st.lists(st.integers(0, 5), min_size=1, max_size=60)


@given(sizes, st.floats(0, 1))
def test_no_group_is_ever_cut_and_the_share_never_passed(groups, share):
    rows = [make_row(pk, group=group or None) for pk, group in enumerate(groups, 1)]
    chosen = validation_rows(rows, share)

    assert len(chosen) <= round(len(rows) * share)
    for group in range(1, 6):
        members = {row.pk for row in rows if row.group == group}
        assert members <= chosen or not members & chosen


def test_what_is_alike_and_in_both_parts_goes_to_training():
    rows = [make_row(1, group=1), make_row(2, group=1, is_validation=True)]
    alone = make_row(3, is_validation=True)

    assert rows_astride([*rows, alone]) == {2: False}


def test_what_is_alike_goes_where_one_of_it_is_pinned():
    rows = [make_row(1, group=1), make_row(2, group=1)]
    pinned = make_row(3, group=1, pinned=True, is_validation=True)

    assert rows_astride([*rows, pinned]) == {1: True, 2: True}


def test_pinned_rows_stay_where_they_are_though_they_are_alike():
    rows = [make_row(1, group=1, pinned=False)]
    rows.append(make_row(2, group=1, pinned=True, is_validation=True))

    assert rows_astride(rows) == {}
