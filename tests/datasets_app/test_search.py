"""Search finds exactly the rows that have all words, indexed yet or not."""

import random

import pytest
from django.utils.timezone import now

from datasets_app import services
from datasets_app.database import text_index
from datasets_app.models import Dataset, Example, UnindexedText
from datasets_app.services import candidates, listing
from datasets_app.services.selection import Selection
from tests.factories import make_dataset, make_example

pytestmark = pytest.mark.django_db


def say(dataset: Dataset, text: str) -> Example:
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}]
    return make_example(dataset=dataset, messages=turns)


def found(dataset: Dataset, q: str, **fields: str) -> list[int]:
    """By the list, page by page; the export's way must agree."""
    selection = Selection.of({"q": q, **fields})
    pks: list[int] = []
    after = ""
    while True:
        page = listing.list_examples(selection, dataset, after=after, per_page=7)
        pks += [row.pk for row in page.rows]
        if not (after := page.after):
            break
    assert pks == [row.pk for row in selection.examples(dataset)]
    return pks


@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize(
    "q",
    [
        "환불",
        "액",
        "refund",
        "FUND",
        "gpt를",
        '"환불 정책"',
        "정책 환불",
        "no",
        "50%",
        "a_b",
    ],
)
def test_words_are_found_in_either_language(q, learnt):
    dataset = make_dataset()
    wanted = say(dataset, "전액환불 정책: 환불 정책은 Refund no GPT를 50% a_b")
    say(dataset, "환전 불가, re-fun d 5% 정 책 GPT 를 axb")
    if learnt:
        services.index_texts()

    assert found(dataset, q) == [wanted.pk]


def test_a_phrase_in_quotes_is_one_word():
    dataset = make_dataset()
    say(dataset, "policy of refund")
    wanted = say(dataset, "our refund policy")
    services.index_texts()

    assert found(dataset, '"refund policy"') == [wanted.pk]


def test_a_changed_text_is_found_by_its_new_words_only():
    example = say(make_dataset(), "old wording")
    services.index_texts()
    example.messages[1]["content"] = "new phrase"
    services.save_example(example, by=None)

    for _learnt in (False, True):
        assert found(example.dataset, "wording") == []
        assert found(example.dataset, "phrase") == [example.pk]
        services.index_texts()


def test_korean_typed_in_letters_is_found_in_syllables():
    example = say(make_dataset(), "환불")  # decomposed, as macOS writes

    assert found(example.dataset, "환불") == [example.pk]


def test_another_dataset_is_not_searched():
    example = say(make_dataset(), "refund")
    other = say(make_dataset(team=example.dataset.team), "refund")
    services.index_texts()

    assert found(other.dataset, "refund") == [other.pk]


def test_rows_in_the_bin_are_not_found():
    example = say(make_dataset(), "refund")
    services.index_texts()
    Example.objects.filter(pk=example.pk).update(deleted_at=now())

    assert found(example.dataset, "refund") == []


def test_texts_are_learnt_once():
    example = say(make_dataset(), "refund")

    assert services.index_texts() == 1
    assert services.index_texts() == 0
    Example.objects.filter(pk=example.pk).update(state="approved")
    assert not UnindexedText.objects.exists()


def test_an_index_built_anew_finds_the_same():
    example = say(make_dataset(), "refund")
    services.index_texts()

    services.reindex()
    services.index_texts()

    assert found(example.dataset, "refund") == [example.pk]


WORDS = ("환불", "정책", "주문", "refund", "policy", "order", "ai", "환", "ord")


@pytest.mark.parametrize(
    ("seed", "sort"),
    [(1, "position"), (2, "-position"), (3, "tokens"), (4, "-changed")],
)
def test_search_is_right_whatever_is_known(seed, sort, monkeypatch):
    """Some rows learnt, some not, some changed; few candidates, or too many."""
    chance, dataset = random.Random(seed), make_dataset()
    monkeypatch.setattr(candidates, "FEW", 5)
    monkeypatch.setattr(listing, "MOST_AT_ONCE", 10)
    monkeypatch.setattr(text_index, "STRETCH", 3)
    for n in range(40):
        row = say(dataset, "".join(chance.choices([*WORDS, " "], k=6)))
        if n % 7 == 0:
            services.index_texts()
            row.messages[1]["content"] = " ".join(chance.choices(WORDS, k=2))
            services.save_example(row, by=None)
    texts = dict(Example.objects.filter(dataset=dataset).values_list("pk", "text"))

    for word in WORDS:
        expected = {pk for pk, text in texts.items() if word in text}
        assert set(found(dataset, word, sort=sort)) == expected
