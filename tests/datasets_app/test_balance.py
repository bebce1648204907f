"""The balance report: what is counted, what is worth a warning, and the page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.balance import warnings
from datasets_app.balance_words import WARNINGS, describe
from datasets_app.models import (
    CheckRun,
    Dataset,
    ExampleFeatures,
    ReviewState,
    RunStatus,
    Split,
    Tag,
)
from datasets_app.services.balance import measure
from datasets_app.services.check_requests import request_check
from datasets_app.services.checks.features import refresh_features
from datasets_app.services.checks.running import run_check
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


def chat(question: str, answer: str, system: str = "") -> list[dict[str, str]]:
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return [{"role": "system", "content": system}, *turns] if system else turns


def fill(dataset: Dataset, n: int, **overrides: Any) -> None:
    """Rows that have nothing in common but what is asked for."""
    for i in range(n):
        words = " ".join(f"{dataset.pk}x{i}y{k}" for k in range(8))
        make_example(
            dataset=dataset,
            **{"messages": chat(f"What of {words}?", f"Word{i} {words}."), **overrides},
        )


def report_of(dataset: Dataset) -> dict[str, Any]:
    refresh_features(dataset)
    return measure(dataset)


def codes_of(dataset: Dataset) -> set[str]:
    return {warning.code for warning in warnings(report_of(dataset))}


def top(report: dict[str, Any], part: str) -> dict[str, int]:
    return {group["label"]: group["n"] for group in report["parts"][part]["top"]}


def test_languages_are_counted():
    dataset = make_dataset()
    make_example(
        dataset=dataset, messages=chat("안녕하세요?", "반갑습니다, 어서 오세요.")
    )
    make_example(dataset=dataset, messages=chat("Hello there?", "Good day to you."))

    assert top(report_of(dataset), "language") == {"en": 1, "ko": 1}


def test_tags_are_counted_and_rows_without_one():
    dataset = make_dataset()
    tag = Tag.objects.create(team=dataset.team, name="refund")
    make_example(dataset=dataset, tags=[tag])
    make_example(dataset=dataset)

    report = report_of(dataset)

    assert top(report, "tag") == {"refund": 1}
    assert report["parts"]["tag"]["n_without"] == 1


def test_a_system_prompt_is_shown_by_its_text():
    dataset = make_dataset()
    make_example(dataset=dataset, messages=chat("Hi?", "Hello.", system="Be kind."))

    assert top(report_of(dataset), "system_prompt") == {"Be kind.": 1}


def test_an_answer_that_comes_twice_is_shown_by_its_text():
    dataset = make_dataset()
    make_example(dataset=dataset, messages=chat("One?", "It depends."))
    make_example(dataset=dataset, messages=chat("Two?", "It depends."))
    make_example(dataset=dataset, messages=chat("Three?", "No."))

    assert top(report_of(dataset), "answer") == {"It depends.": 2}


def test_lengths_are_counted_between_bounds():
    dataset = make_dataset()
    make_example(dataset=dataset, messages=chat("Short?", "a" * 24))
    make_example(dataset=dataset, messages=chat("Long?", "b" * 25))

    assert top(report_of(dataset), "answer_length") == {"1–24": 1, "25–49": 1}


@pytest.mark.parametrize("left_out", ["rejected", "deleted", "invalid"])
def test_rows_that_no_version_takes_do_not_count(left_out):
    dataset = make_dataset()
    make_example(dataset=dataset)
    row = make_example(dataset=dataset)
    refresh_features(dataset)
    if left_out == "rejected":
        row.state = ReviewState.REJECTED
    elif left_out == "invalid":
        row.is_valid = False
    else:
        row.deleted_at = row.created_at
    row.save()

    assert measure(dataset)["n_rows"] == 1


def test_near_duplicates_count_but_for_one_of_each_group():
    dataset = make_dataset()
    fill(dataset, 5)
    refresh_features(dataset)
    pks = ExampleFeatures.objects.filter(dataset=dataset).values_list("pk", flat=True)
    ExampleFeatures.objects.filter(pk__in=sorted(pks)[:3]).update(near_group=pks[0])

    assert measure(dataset)["n_near_duplicates"] == 2


def test_an_empty_dataset_has_a_report_and_no_warning():
    assert warnings(report_of(make_dataset())) == []


def test_a_varied_dataset_has_no_warning_but_its_size():
    dataset = make_dataset()
    fill(dataset, 20)
    fill(dataset, 20, split=Split.VALIDATION)

    assert codes_of(dataset) == {"few_rows", "one_question_each", "one_length"}


def test_answers_that_begin_alike_are_told():
    dataset = make_dataset()
    fill(dataset, 4)
    for i in range(3):
        answer = f"As an assistant number {i} I help."
        make_example(dataset=dataset, messages=chat(f"Who {i}?", answer))

    found = {w.code: w.params for w in warnings(report_of(dataset))}

    assert found["same_start"]["percent"] == 43
    assert found["same_start"]["value"].lower() == "as an assistant"


def test_one_answer_for_many_questions_is_told():
    dataset = make_dataset()
    fill(dataset, 10)
    for i in range(2):
        make_example(dataset=dataset, messages=chat(f"Question {i}?", "Ask a human."))

    assert "same_answer" in codes_of(dataset)


def test_a_tag_on_most_rows_is_told():
    dataset = make_dataset()
    tag = Tag.objects.create(team=dataset.team, name="refund")
    fill(dataset, 7, tags=[tag])
    fill(dataset, 3)

    assert "one_tag" in codes_of(dataset)


def test_rows_without_the_system_prompt_of_the_others_are_told():
    dataset = make_dataset()
    fill(dataset, 3)
    make_example(dataset=dataset, messages=chat("Hi?", "Hello.", system="Be kind."))

    assert "some_without_system" in codes_of(dataset)


def test_a_language_of_a_few_rows_is_told():
    dataset = make_dataset()
    for i in range(30):
        korean = chat(f"질문 {i}번은 무엇인가요?", f"대답 {i}번은 이렇습니다.")
        make_example(dataset=dataset, messages=korean)
    make_example(dataset=dataset, messages=chat("Hello there?", "Good day to you."))

    assert "rare_language" in codes_of(dataset)


def test_another_mixture_of_languages_in_validation_is_told():
    dataset = make_dataset()
    make_example(
        dataset=dataset, messages=chat("안녕하세요?", "반갑습니다, 어서 오세요.")
    )
    english = chat("Hello there?", "Good day to you.")
    make_example(dataset=dataset, messages=english, split=Split.VALIDATION)

    assert "other_mixture" in codes_of(dataset)


def test_every_warning_has_words_that_take_its_numbers():
    params = {"n": 3, "advice": 50, "percent": 9, "value": "x"}
    params |= {"train": 80, "validation": 10}

    assert all(describe(code, params) for code in WARNINGS)


def test_a_check_measures_the_balance():
    dataset = make_dataset()
    make_example(dataset=dataset)
    run = request_check(dataset)
    run_check(run)
    run.refresh_from_db()

    assert run.balance["n_rows"] == 1


class TestThePage:
    def test_says_what_to_do_before_the_first_check(self, client: Client):
        dataset = make_dataset()
        client.force_login(make_member(Role.VIEWER, dataset.team))

        page = client.get(reverse("datasets:balance", args=[dataset.pk]))

        assert reverse("datasets:preflight", args=[dataset.pk]) in page.content.decode()

    def test_shows_the_newest_check(self, client: Client):
        dataset = make_dataset()
        make_example(dataset=dataset, messages=chat("One?", "<script>alert(1)"))
        make_example(dataset=dataset, messages=chat("Two?", "<script>alert(1)"))
        CheckRun.objects.create(
            dataset=dataset, status=RunStatus.FINISHED, balance=report_of(dataset)
        )
        client.force_login(make_member(Role.VIEWER, dataset.team))

        page = client.get(reverse("datasets:balance", args=[dataset.pk]))

        assert "&lt;script&gt;alert(1)" in page.content.decode()
        assert "<script>alert" not in page.content.decode()

    def test_is_not_there_for_another_team(self, client: Client):
        client.force_login(make_member(Role.OWNER))

        page = client.get(reverse("datasets:balance", args=[make_dataset().pk]))

        assert page.status_code == 404
