"""Each door, for real: a worker is rung for a launch; the API tells why not."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from ninja.errors import HttpError

from jobs_app import services, tasks
from jobs_app.api_errors import Refusal
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.services.approvals import ApprovalRefused
from tests.factories import make_job
from tests.jobs_app.doors import by_admin, by_api, by_page, job_in

pytestmark = pytest.mark.django_db
S = JobStatus
REFUSED = ApprovalRefused("Another one must.")


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[int]:
    """The jobs for which a worker was rung."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", ids.append)
    return ids


@pytest.mark.parametrize(
    ("door", "act", "status"),
    [
        (by_page, "launch", S.DRAFT),
        (by_page, "retry", S.FAILED),
        (by_page, "schedule", S.PENDING),
        (by_page, "approve", S.AWAITING_APPROVAL),
        (by_admin, "launch", S.DRAFT),
        (by_admin, "retry", S.FAILED),
        (by_admin, "approve", S.AWAITING_APPROVAL),
        (by_api, "retry", S.FAILED),
        (by_api, "clone", S.FAILED),
        (by_api, "schedule", S.PENDING),
        (by_api, "approve", S.AWAITING_APPROVAL),
    ],
)
def test_a_worker_is_rung_for_what_was_handed_over(client, rung, door, act, status):
    door(client, job_in(status), act)

    newest = FineTuningJob.objects.latest("pk")
    assert newest.status == S.PENDING
    assert rung == [newest.pk]


@pytest.mark.parametrize("door", [by_page, by_admin, by_api])
def test_what_was_declined_never_runs(client, door):
    job = job_in(S.AWAITING_APPROVAL)
    door(client, job, "decline")
    assert FineTuningJob.objects.get().status == S.DECLINED
    assert job.approvals.get().comment == "No."


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (Refusal(418, what="A", why="It is so.", what_to_do="B"), 418, "B"),
        (PermissionDenied("It is so."), 403, "Ask an owner"),
        (Http404(), 404, "GET /api/jobs lists"),
        (ValidationError("It is so."), 422, "Correct it"),
        (IllegalTransition("It is so."), 409, "shows its state"),
        (ProviderUnavailable("It is so."), 503, "Try again later."),
        (ProviderUnavailable("It is so. Wait.", happened="It is so."), 503, "Wait."),
        (ProviderRejected("It is so."), 502, "Mend what it names"),
        (ProviderRejected("It is so. Pay.", happened="It is so."), 502, "Pay."),
        (HttpError(400, "It is so."), 400, "/api/docs"),
    ],
)
def test_the_api_tells_what_why_and_what_to_do(
    client, monkeypatch, error, status, told
):
    refuse(monkeypatch, "pause_job", error)

    answer = by_api(client, make_job(), "pause")

    assert answer.status_code == status
    problem = answer.json()["error"]
    assert "It is so." in problem["why"] or status == 404
    assert told in problem["what_to_do"]


def test_a_refusal_reads_as_what_happened_in_a_log():
    assert str(Refusal(418, what="A", why="B", what_to_do="C")) == "A"


@pytest.mark.parametrize("act", ["approve", "decline"])
def test_the_api_tells_who_may_not_decide(client, monkeypatch, rung, act):
    refuse(monkeypatch, act, REFUSED)
    answer = by_api(client, make_job(), act)
    assert (answer.status_code, rung) == (409, [])
    assert answer.json()["error"]["why"] == "Another one must."


def test_the_api_tells_the_state_after_the_decision(client):
    told = by_api(client, job_in(S.AWAITING_APPROVAL), "decline").json()
    assert told["status"] == "declined"
    assert told["approval"]["is_approved"] is False


def test_the_api_tells_the_state_that_another_person_caused(client, monkeypatch):
    def decided_meanwhile(job: FineTuningJob, **_rest: Any) -> bool:
        FineTuningJob.objects.filter(pk=job.pk).update(status=S.PENDING)
        return False

    monkeypatch.setattr(services, "approve", decided_meanwhile)
    told = by_api(client, job_in(S.AWAITING_APPROVAL), "approve").json()
    assert told["status"] == "pending"


@pytest.mark.parametrize("act", ["approve", "pause", "cancel"])
def test_the_api_acts_on_the_job_that_is_named(client, monkeypatch, act):
    asked: list[int] = []
    verb = act if act == "approve" else f"{act}_job"
    monkeypatch.setattr(services, verb, lambda job, **_rest: asked.append(job.pk))
    job = make_job()
    make_job(team=job.team)

    by_api(client, job, act)

    assert asked == [job.pk]


def refuse(monkeypatch: Any, verb: str, error: Exception) -> None:
    def raise_it(*_args: Any, **_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(services, verb, raise_it)
