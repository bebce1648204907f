import pytest
from django.utils.translation import gettext, gettext_noop, override

from jobs_app.retold import retold

FRAGMENTS = (gettext_noop("by %(who)s"), gettext_noop("will retry: %(why)s"))
STOPPED = "The tuning server is not running at http://h/v1. Start it with: ./run"
STOPPED_KO = (
    "튜닝 서버가 http://h/v1에서 실행되고 있지 않습니다. "
    "다음 명령으로 시작하세요: ./run"
)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("Remove it.", "지우세요."),
        (STOPPED, STOPPED_KO),
        ("by mina", "mina 님"),
        (f"(will retry: {STOPPED})", f"(다시 시도 예정: {STOPPED_KO})"),
    ],
    ids=["without values", "with a value", "fragment", "sentence in a fragment"],
)
def test_a_stored_sentence_is_read_in_the_viewers_language(stored: str, read: str):
    with override("ko"):
        assert retold(stored, FRAGMENTS) == read


def test_what_happened_and_the_advice_behind_it_are_both_read():
    silent = "Azure did not answer in time."
    with override("ko"):
        both = retold(f"{silent} Remove it.")
        assert both == f"{retold(silent)} 지우세요."
        assert retold(silent) != silent


@pytest.mark.parametrize(
    "text",
    ["", "Row 3 has no answer.", "It was trained on 5 tokens", "100 % by hand", "by x"],
)
def test_what_no_template_fits_stays(text: str):
    with override("ko"):
        assert retold(text) == text


def test_english_is_left_alone():
    with override("en"):
        assert retold("by mina", FRAGMENTS) == "by mina"


def test_a_sentence_within_itself_ends():
    text = "will retry: " * 50
    with override("ko"):
        assert retold(text, FRAGMENTS).startswith("다시 시도 예정: ")


def test_a_text_of_any_length_from_a_provider_is_not_searched():
    with override("ko"):
        assert retold("will retry: " + "x" * 1000, FRAGMENTS).startswith("will retry")


def test_what_stands_too_deep_stays():
    with override("ko"):
        assert retold("((Remove it.))") == "((지우세요.))"
        assert retold("(((Remove it.)))") == "(((Remove it.)))"


def test_a_parenthesis_that_does_not_end_is_left_alone():
    with override("ko"):
        assert retold("(by mina", FRAGMENTS) == "(by mina"
        assert retold("by mina)") == "by mina)"


def test_without_a_language_everything_stays():
    with override(None):
        assert retold("by mina", FRAGMENTS) == "by mina"


def test_what_is_not_translated_is_not_translated_in_half():
    with override("ko"):
        assert retold("zzz Remove it.", ("zzz %(who)s",)) == "zzz Remove it."


def test_each_of_several_values_finds_its_place():
    template = "%(name)s: %(value)s at step %(step)s."
    values = {"name": "x", "value": "0.5", "step": "3"}
    with override("ko"):
        assert gettext(template) != template
        assert retold(template % values) == gettext(template) % values
