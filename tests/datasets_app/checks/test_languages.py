import pytest

from datasets_app.checks.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("네더 블레이드는 무엇을 하나요?", "ko"),
        ("Django에서 QuerySet prefetch_related는 언제 쓰나요?", "ko"),
        ("What does the Nether Blade do?", "en"),
        ("def add(left, right): return left + right", "en"),
        ("このカードは何をしますか。", "ja"),
        ("这张牌有什么作用？", "zh"),
        ("Что делает эта карта?", "other"),
        ("¿Qué hace la carta que está en el campo?", "other"),
        ("Was macht die Karte, die auf dem Feld ist?", "other"),
        ("42", ""),
        ("OK 👍", ""),
        ("", ""),
    ],
)
def test_the_language_is_told_by_its_letters(text, language):
    assert language_of(text) == language


def test_a_lone_surrogate_is_read_over():
    assert language_of("What is \ud800 this for?") == "en"
