import pytest

from datasets_app.grams import grams, query_grams


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("전액환불을 원합니다", "환불"),
        ("전액환불을 원합니다", "불"),
        ("The Refund Policy", "refund"),
        ("The Refund Policy", "EFUN"),
        ("GPT를 써 보았다", "gpt를"),
        ("user_id=42", "user_id"),
        ("注文のキャンセル", "キャンセル"),
        ("naïve Übergröße", "über"),
        ("Donaudampfschifffahrtsgesellschaft", "schifffahrtsgesellschaft"),
        ("대한민국헌법재판소사무처법시행규칙전문", "헌법재판소사무처법시행규칙전"),
    ],
)
def test_a_text_has_all_pieces_of_what_it_contains(text, word):
    wanted = query_grams([word])

    assert wanted
    assert set(wanted) <= grams(text)


def test_words_too_short_for_a_piece_have_none():
    assert query_grams(["ai", "?!", ""]) == []


def test_a_text_that_lacks_a_syllable_lacks_a_piece():
    assert not set(query_grams(["환불"])) <= grams("환전 불가")
