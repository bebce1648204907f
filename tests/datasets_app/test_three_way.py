import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.three_way import merged, pieces

TURNS = st.lists(st.sampled_from("abcd"), max_size=6)


def who(*lists) -> list[str]:
    return [piece.who for piece in pieces(*map(list, lists))]


@given(TURNS, TURNS, TURNS)
def test_either_whole_list_can_be_taken(base, mine, theirs):
    found = pieces(base, mine, theirs)

    assert merged(found, lambda _n: "mine") == mine
    assert merged(found, lambda _n: "theirs") == theirs
    assert [turn for piece in found for turn in piece.base] == base


@given(TURNS, TURNS)
def test_what_only_one_changed_is_taken_unasked(base, theirs):
    found = pieces(base, base, theirs)

    assert merged(found, lambda n: found[n].proposed) == theirs
    assert merged(pieces(base, theirs, base), lambda _n: "mine") == theirs


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (("abc", "abc", "abc"), ["nobody"] * 3),
        (("abc", "aXc", "abc"), ["nobody", "mine", "nobody"]),
        (("abc", "abc", "abY"), ["nobody", "nobody", "theirs"]),
        (("abc", "aXc", "abY"), ["nobody", "conflict"]),
        (("abc", "aXc", "aYc"), ["nobody", "conflict", "nobody"]),
        (("abc", "aXc", "aXc"), ["nobody", "both", "nobody"]),
        (("abcd", "Xbcd", "abcY"), ["mine", "nobody", "nobody", "theirs"]),
    ],
)
def test_who_changed_what(lists, expected):
    assert who(*lists) == expected


def test_true_and_one_are_not_the_same():
    assert pieces([{"weight": 1}], [{"weight": True}], [{"weight": 1}])[0].who == "mine"
