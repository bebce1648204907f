from datasets_app.checks.cutting import SHOWN, cut_of

MESSAGES = [
    {"role": "user", "content": "Who?"},
    {"role": "assistant", "content": "abcdefghij"},
    {"role": "user", "content": "And?"},
]


def test_what_fits_is_not_cut():
    assert cut_of(MESSAGES, [10, 10, 10], limit=30) is None


def test_the_cut_begins_within_the_message_that_reaches_the_limit():
    cut = cut_of(MESSAGES, [10, 10, 10], limit=15)
    assert cut is not None
    assert (cut.message_index, cut.begins) == (2, "fghij\nAnd?")
    assert cut.n_characters == len(cut.begins)


def test_of_a_long_cut_the_beginning_and_the_end_are_shown():
    text = "a" * 1_000 + "z" * 1_000
    cut = cut_of([{"role": "user", "content": text}], [2_000], limit=0)
    assert cut is not None
    assert (cut.begins, cut.ends) == ("a" * SHOWN, "z" * SHOWN)
