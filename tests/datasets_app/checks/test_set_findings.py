from typing import Any

import pytest

from datasets_app.models import (
    Dataset,
    Example,
    ExampleFeatures,
    Finding,
    ReviewState,
    Split,
)
from datasets_app.services import checks, save_example
from datasets_app.services.checks import features
from tests.factories import make_dataset, make_example

pytestmark = pytest.mark.django_db

QUESTION = "What does the Nether Blade do to the units that stand on the battlefield?"
ANSWER = "It hits every unit on the battlefield and removes those without hit points."


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


def row(dataset: Dataset, question: str, answer: str, **more: Any) -> Example:
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return make_example(dataset=dataset, messages=turns, **more)


def found(dataset: Dataset) -> set[tuple[str, Any, Any]]:
    """(code, row, the other one) after a check."""
    checks.run_check(checks.request_check(dataset))
    findings = Finding.objects.filter(dataset=dataset).exclude(code="too_few_rows")
    return {(f.code, f.example, f.other) for f in findings}


def test_a_copy_points_to_the_first_of_its_kind(dataset):
    first, copy = row(dataset, QUESTION, ANSWER), row(dataset, QUESTION, ANSWER)
    assert found(dataset) == {("exact_duplicate", copy, first)}


def test_a_rejected_copy_is_no_copy(dataset):
    row(dataset, QUESTION, ANSWER)
    row(dataset, QUESTION, ANSWER, state=ReviewState.REJECTED)
    assert found(dataset) == set()


def test_rows_that_are_nearly_the_same_are_found(dataset):
    first = row(dataset, QUESTION, ANSWER)
    near = row(dataset, QUESTION.replace("Nether", "Neither"), ANSWER)
    row(dataset, "Who are you?", "I am a card game's assistant.")
    assert found(dataset) == {("near_duplicate", near, first)}
    groups = ExampleFeatures.objects.order_by("pk").values_list("near_group", flat=True)
    assert list(groups) == [first.pk, first.pk, None]


def test_rows_that_are_somewhat_alike_are_not(dataset):
    row(dataset, QUESTION, ANSWER)
    row(dataset, QUESTION, "It hits one unit on the battlefield, and no other.")
    assert {code for code, _row, _other in found(dataset)} == {"contradiction"}


def test_near_groups_follow_an_edit(dataset):
    first = row(dataset, QUESTION, ANSWER)
    near = row(dataset, QUESTION.replace("Nether", "Neither"), ANSWER)
    found(dataset)
    near.messages[1]["content"] = "Something that is quite different from the rest."
    save_example(near, by=None)

    assert found(dataset) == set()
    assert set(ExampleFeatures.objects.values_list("near_group", flat=True)) == {None}
    near.messages[1]["content"] = ANSWER
    save_example(near, by=None)
    assert found(dataset) == {("near_duplicate", near, first)}


def test_a_new_row_joins_two_groups(dataset):
    words = [f"word{n}" for n in range(40)]
    left, right = list(words), list(words)
    left[3:6] = ["one", "two", "three"]
    right[30:33] = ["four", "five", "six"]
    one, other = (row(dataset, QUESTION, " ".join(each)) for each in (left, right))
    assert not any(code == "near_duplicate" for code, *_rows in found(dataset))

    between = row(dataset, QUESTION, " ".join(words))
    near = {(r, o) for code, r, o in found(dataset) if code == "near_duplicate"}
    assert near == {(other, one), (between, one)}


def test_a_big_group_that_a_row_leaves_stays_together(dataset, monkeypatch):
    monkeypatch.setattr(features, "SMALL_GROUP", 1)
    rows = [row(dataset, QUESTION + "?" * n, ANSWER) for n in range(3)]
    found(dataset)
    rows[0].messages[0]["content"] = "Who are you, and what can you do for me today?"
    rows[0].messages[1]["content"] = "I am the assistant of a card game."
    save_example(rows[0], by=None)

    assert found(dataset) == {("near_duplicate", rows[2], rows[1])}


def test_different_answers_to_one_question_contradict(dataset):
    yes, no = row(dataset, "Is it?", "Yes."), row(dataset, "is  it? ", "No.")
    row(dataset, "Is it not?", "No.")
    assert found(dataset) == {("contradiction", yes, no), ("contradiction", no, yes)}


def test_a_validation_row_that_is_trained_on_is_found(dataset):
    trained = row(dataset, QUESTION, ANSWER)
    held_out = row(dataset, QUESTION, ANSWER, split=Split.VALIDATION)
    near = row(dataset, QUESTION + "!", ANSWER, split=Split.VALIDATION)
    assert found(dataset) == {
        ("overlap_exact", held_out, trained),
        ("overlap_near", near, trained),
    }


def test_moving_a_row_ends_the_overlap(dataset):
    row(dataset, QUESTION, ANSWER)
    held_out = row(dataset, QUESTION + "!", ANSWER, split=Split.VALIDATION)
    assert {code for code, *_rows in found(dataset)} == {"overlap_near"}
    Example.objects.filter(pk=held_out.pk).update(split=Split.TRAIN)
    assert {code for code, *_rows in found(dataset)} == {"near_duplicate"}


def test_ten_training_rows_are_enough(dataset):
    for n in range(10):
        row(dataset, f"Number {n} is which one of them?", "x" * (n + 3) + str(n))
    checks.run_check(checks.request_check(dataset))
    assert not Finding.objects.filter(code="too_few_rows").exists()

    Example.objects.filter(pk=dataset.examples.first().pk).update(split="validation")
    checks.run_check(checks.request_check(dataset))
    [finding] = Finding.objects.filter(code="too_few_rows")
    assert finding.params == {"n": 9, "minimum": 10}


def test_a_row_longer_than_the_model_reads_is_found(dataset, monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.sets.DEFAULT_CONTEXT_TOKENS", 20)
    row(dataset, "Who?", "I.")
    long = row(dataset, QUESTION, ANSWER)
    assert found(dataset) == {("too_long_for_model", long, None)}
    [finding] = Finding.objects.filter(code="too_long_for_model")
    assert finding.params == {"n": long.n_tokens, "limit": 20}


def test_findings_that_stay_are_not_written_again(dataset):
    for _copy in range(2):
        row(dataset, QUESTION, ANSWER)
    found(dataset)
    before = set(Finding.objects.values_list("pk", flat=True))
    found(dataset)
    assert set(Finding.objects.values_list("pk", flat=True)) == before


def test_of_one_kind_only_so_many_are_kept(dataset, monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.sets.MOST_OF_A_CODE", 2)
    for _copy in range(5):
        row(dataset, QUESTION, ANSWER)
    assert len(found(dataset)) == 2


def test_a_group_outlives_the_row_that_it_is_named_after(dataset):
    rows = [row(dataset, QUESTION + "?" * n, ANSWER) for n in range(3)]
    other = row(dataset, "Who are you?", "I am the assistant of a card game.")
    found(dataset)
    rows[0].delete()
    other.messages[1]["content"] = "I am somebody else by now, as you may see."
    save_example(other, by=None)

    assert found(dataset) == {("near_duplicate", rows[2], rows[1])}


def test_the_last_of_a_deleted_group_is_alone(dataset):
    first, near = (row(dataset, QUESTION + "?" * n, ANSWER) for n in range(2))
    found(dataset)
    first.delete()
    row(dataset, "Who are you?", "I am the assistant of a card game.")

    assert found(dataset) == set()
    assert ExampleFeatures.objects.get(example=near).near_group is None
