"""Find and replace in texts and messages."""

import time
import tracemalloc

import pytest

from datasets_app.replacing import ARGUMENTS, TEXT, BadPattern, Replacing, TooMuch


def conversation():
    return [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "kind of 카드?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "kind", "arguments": '{"a":"kind"}'},
                }
            ],
        },
    ]


@pytest.mark.parametrize(
    ("find", "replace", "options", "expected"),
    [
        ("a.c", "X", {}, "X abc ABC 카드"),
        ("ABC", "X", {"ignore_case": True}, "a.c X X 카드"),
        ("a.c", "X", {"is_regex": True}, "X X ABC 카드"),
        (r"(\w)b(\w)", r"\2-\1", {"is_regex": True}, "a.c c-a ABC 카드"),
        (r"(?P<x>카)드", r"\g<x>\g<1>\n\\", {"is_regex": True}, "a.c abc ABC 카카\n\\"),
        ("카드", "카드장", {"is_regex": True}, "a.c abc ABC 카드장"),
        ("x*", "-", {"is_regex": True}, "-a-.-c- -a-b-c- -A-B-C- -카-드-"),
        (r"\1", "X", {"ignore_case": True}, "a.c abc ABC 카드"),
    ],
)
def test_every_match_is_replaced(find, replace, options, expected):
    assert Replacing(find, replace, **options).in_text("a.c abc ABC 카드") == expected


@pytest.mark.parametrize(
    ("find", "replace", "code", "position"),
    [
        ("(abc", "", "missing )", 1),
        (r"(a)\([(]b(c", "", "missing )", 10),
        ("ab*c**", "", "bad repetition operator", 5),
        ("카드[z-a]", "", "invalid character class range", 4),
        (r"(a)(?!b)", "", "invalid perl operator", 4),
        ("(a)", r"x\2", "no_such_group", 2),
        ("(a)", r"\g<name>", "no_such_group", 1),
        ("", "", "length", 1),
        ("(a{1000}){1000}", "", "invalid repetition size", 10),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said_with_its_place(
    find, replace, code, position
):
    with pytest.raises(BadPattern) as caught:
        Replacing(find, replace, is_regex=True).check()
    assert (caught.value.code, caught.value.position) == (code, position)


def test_only_the_chosen_roles_and_fields_are_looked_at():
    before = conversation()
    system = Replacing("kind", "X", roles=frozenset({"system"})).in_messages(before)
    arguments = Replacing("kind", "X", fields=frozenset({ARGUMENTS}))

    assert system == [{"role": "system", "content": "Be X."}, *before[1:]]
    call = arguments.in_messages(before)[2]["tool_calls"][0]["function"]
    assert call == {"name": "kind", "arguments": '{"a":"X"}'}
    assert before == conversation()


def test_text_parts_are_looked_at():
    replaced = Replacing("카드", "패", fields=frozenset({TEXT})).in_messages(
        conversation()
    )
    assert replaced[1]["content"] == [{"type": "text", "text": "kind of 패?"}]


def test_messages_without_a_match_are_the_same_object():
    before = conversation()
    assert Replacing("nowhere", "X", is_regex=True).in_messages(before) is before


@pytest.mark.parametrize("messages", [None, "text", [None, 3, {"role": 5}]])
def test_what_is_no_conversation_is_left_alone(messages):
    assert Replacing("a", "b").in_messages(messages) == messages


@pytest.mark.parametrize("is_regex", [True, False])
def test_a_row_does_not_grow_without_bound(is_regex):
    replacing = Replacing("a", "b" * 50_000, is_regex=is_regex)
    with pytest.raises(TooMuch):
        replacing.in_messages([{"role": "user", "content": "a" * 1_000}])


@pytest.mark.parametrize("find", ["(a*)*b", "(a|aa)+$b", "(.*)(.*)(.*)(.*)(.*)c"])
def test_no_pattern_hangs(find):
    start = time.monotonic()
    text = "a" * 100_000
    assert Replacing(find, "", is_regex=True).in_text(text) == text
    assert time.monotonic() - start < 5


def test_searching_again_behind_each_of_many_matches_is_cut_short(monkeypatch):
    """Each match of x looks for a y through all that follows."""
    monkeypatch.setattr("datasets_app.replacing.SECONDS_A_ROW", 0.1)
    messages = [{"role": "user", "content": "x" * 1_000_000}]
    start = time.monotonic()
    with pytest.raises(TooMuch):
        Replacing("x([^z]*y)?", "-", is_regex=True).in_messages(messages)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("find", "replace", "is_regex"),
    [
        ("a", "x" * 10_000, False),
        (r".*", r"\g<0>" * 2_000, True),
    ],
)
@pytest.mark.parametrize("n_messages", [1, 1_000])
def test_what_would_be_too_long_is_never_made(find, replace, is_regex, n_messages):
    text = "a" * (1_000_000 // n_messages)
    messages = [{"role": "user", "content": text} for _n in range(n_messages)]
    replacing = Replacing(find, replace, is_regex=is_regex)
    tracemalloc.start()
    with pytest.raises(TooMuch):
        replacing.in_messages(messages)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 30_000_000


def test_a_group_with_a_number_without_end_is_not_known():
    with pytest.raises(BadPattern, match="no_such_group"):
        Replacing("(a)", rf"\g<{'9' * 5_000}>", is_regex=True).check()
