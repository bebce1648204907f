"""Base and tuned model side by side on validation rows; and a training's figures."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import EventType, FineTuningJob, HeldOutAnswer, JobStatus
from jobs_app.services import comparing, driving
from jobs_app.services.metrics import metrics_of
from teams_app import audit
from tests.factories import chat_line, make_job, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch) -> list[dict[str, Any]]:
    """What both models were asked; they answer with their names."""
    calls: list[dict[str, Any]] = []

    def answer(**given: Any) -> SimpleNamespace:
        calls.append(given)
        return SimpleNamespace(text=given["model"])

    monkeypatch.setattr(comparing, "ask", answer)
    return calls


def held_out(*answers: str, **fields: Any) -> FineTuningJob:
    rows = b"".join(chat_line(f"Question {n}?", a) for n, a in enumerate(answers))
    done = {"status": JobStatus.SUCCEEDED, "fine_tuned_model": "tuned", **fields}
    return make_job(dataset_version=make_version(validation=rows), **done)


def test_each_question_is_asked_once_and_the_next_is_due_at_once(asked):
    job = held_out("A", "B")

    assert comparing.compare_one_held_out_row(job)
    job.refresh_from_db()
    assert job.next_comparison_at is not None
    assert job.next_comparison_at <= now()
    assert comparing.compare_one_held_out_row(job)
    assert not comparing.compare_one_held_out_row(job)

    job.refresh_from_db()
    assert job.next_comparison_at is None
    told = HeldOutAnswer.objects.order_by("line_number").values_list(
        "question", "expected", "base_answer", "tuned_answer"
    )
    assert list(told) == [
        ("Question 0?", "A", "base-model", "tuned"),
        ("Question 1?", "B", "base-model", "tuned"),
    ]


@pytest.mark.parametrize(("n_bytes", "most"), [(10, 42), (5000, 1000)])
def test_an_answer_is_cut_a_little_past_the_expected_one(asked, n_bytes, most):
    comparing.compare_one_held_out_row(held_out("x" * n_bytes))

    assert {each["max_tokens"] for each in asked} == {most}


def test_without_validation_rows_there_is_nothing_to_ask(asked):
    assert not comparing.compare_one_held_out_row(held_out())
    assert asked == []


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED])
def test_only_a_model_that_is_there_is_asked(asked, status):
    job = held_out("A", status=status, next_comparison_at=now())

    assert driving.claim_due_comparisons() == []
    assert not comparing.compare_one_held_out_row(job)
    assert asked == []


def test_a_question_without_an_answer_is_none():
    user = {"role": "user", "content": "Q"}
    assert comparing._as_question([user, user]) is None


def test_what_the_user_said_last_is_shown():
    user, answer = {"role": "user", "content": "Q"}, {"role": "assistant"}
    assert comparing._question_text([user, {**answer, "content": "A"}]) == "Q"


def test_a_job_without_an_end_waits_the_shortest_time():
    assert comparing._patience_seconds(FineTuningJob()) == 60


def test_a_comparison_that_is_not_noted_is_not_asked_for(monkeypatch):
    def broken(*_given: Any, **_named: Any) -> None:
        raise RuntimeError

    job = held_out("A")
    monkeypatch.setattr(FineTuningJob.objects, "filter", broken)

    with pytest.raises(RuntimeError):
        services.request_comparison(job)
    assert not audit.AuditEntry.objects.filter(verb="compared").exists()


@pytest.mark.parametrize("field", ["next_poll_at", "next_comparison_at"])
def test_what_another_tick_claimed_is_not_rung(monkeypatch, field):
    status = {"next_poll_at": JobStatus.PENDING}.get(field, JobStatus.SUCCEEDED)
    make_job(status=status, **{field: now() - timedelta(seconds=1)})
    monkeypatch.setattr(driving, "_claim_one", lambda *_: False)

    assert driving.claim_due_submissions() == driving.claim_due_comparisons() == []


def test_figures_are_those_that_were_reported_step_by_step():
    job = make_job()
    for kind, data in [
        (EventType.METRICS, {"step": 2, "train_loss": 0.5, "valid_loss": None}),
        (EventType.METRICS, {"step": 1, "train_loss": 0.9}),
        (EventType.METRICS, {"step": 2, "valid_loss": 0.6}),
        (EventType.METRICS, {"step": 2, "train_loss": None}),
        (EventType.METRICS, {"step": True, "train_loss": 7}),
        (EventType.METRICS, {"step": "3", "train_loss": 7}),
        (EventType.MESSAGE, {"step": 3, "train_loss": 7}),
    ]:
        job.events.create(type=kind, message="", data=data)

    assert metrics_of(job) == [
        {"step": 1, "train_loss": 0.9},
        {"step": 2, "train_loss": 0.5, "valid_loss": 0.6},
    ]
