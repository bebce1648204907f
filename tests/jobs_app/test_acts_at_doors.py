"""Portal and admin hand an act to its service, ring the worker, tell how it went."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus, LeftoverFile
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.services.approvals import ApprovalRefused
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider, make_team
from tests.jobs_app.test_admin import JOBS

pytestmark = pytest.mark.django_db
TOO_LATE = IllegalTransition("Too late.")
REFUSED = ApprovalRefused("Not you.")
PROVIDERS_NO = [ProviderRejected("No."), ProviderUnavailable("Silent.")]
TWO = ValidationError(["One.", "Two."])
# Of each act: its service, what may come back from it, and whether a worker is rung.
ACTS: dict[str, tuple[str, list[Exception], bool]] = {
    "launch": ("launch_job", [TOO_LATE, TWO], True),
    "cancel": ("cancel_job", [TOO_LATE, *PROVIDERS_NO], False),
    "pause": ("pause_job", [TOO_LATE, *PROVIDERS_NO, TWO], False),
    "resume": ("resume_job", [TOO_LATE, *PROVIDERS_NO, TWO], False),
    "retry": ("retry_job", [TOO_LATE, *PROVIDERS_NO, TWO], True),
    "approve": ("approve", [REFUSED, TWO], True),
    "decline": ("decline", [REFUSED], False),
}
DECISIONS = {"look_again": "look_again", "launch_again": "launch_again"}
EVERY_NO = [
    (act, exc) for act, (_verb, faults, _rings) in ACTS.items() for exc in faults
]


@pytest.fixture
def job() -> FineTuningJob:
    return make_job()


@pytest.fixture
def door(client, job) -> Client:
    client.force_login(make_member(Role.LAUNCHER, job.team))
    return client


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", found.append)
    return found


def answer_with(monkeypatch, verb: str, outcome: Any) -> list[FineTuningJob]:
    """The jobs that this service is asked about, and what it then does."""
    asked: list[FineTuningJob] = []

    def act(job: FineTuningJob, *_args: Any, **_rest: Any) -> Any:
        asked.append(job)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome(job) if callable(outcome) else outcome

    monkeypatch.setattr(services, verb, act)
    return asked


def on_page(door: Client, act: str, job: FineTuningJob) -> list[str]:
    answer = door.post(f"/jobs/{job.pk}/{act}/", {"comment": "Because."})
    assert answer.headers["Location"].startswith("/jobs/")
    return [str(each) for each in get_messages(answer.wsgi_request)]


def in_admin(door: Client, act: str, job: FineTuningJob) -> list[str]:
    answer = door.post(JOBS, {"action": act, "_selected_action": [job.pk]})
    assert answer.status_code == 302
    return [str(each) for each in get_messages(answer.wsgi_request)]


def outcome_of(act: str) -> Any:
    """True of approvals; else the job."""
    return act in {"approve", "decline"} or (lambda job: job)


@pytest.mark.parametrize("at", [on_page, in_admin])
@pytest.mark.parametrize("act", ACTS)
def test_an_act_reaches_its_service_and_rings(door, job, rung, monkeypatch, act, at):
    verb, _faults, rings = ACTS[act]
    asked = answer_with(monkeypatch, verb, outcome_of(act))

    at(door, act, job)

    assert asked == [job]
    if at is on_page or act != "decline":
        assert rung == ([job.pk] if rings else [])


@pytest.mark.parametrize("at", [on_page, in_admin])
@pytest.mark.parametrize(("act", "fault"), EVERY_NO)
def test_who_is_refused_is_told_why(door, job, rung, monkeypatch, act, fault, at):
    answer_with(monkeypatch, ACTS[act][0], fault)
    words = " ".join(getattr(fault, "messages", [str(fault)]))

    said = at(door, act, job)

    assert len(said) == 1
    assert words in said[0]
    assert rung == []


@pytest.mark.parametrize("act", [*ACTS, *DECISIONS])
def test_the_admin_tells_what_was_done(door, job, rung, monkeypatch, act):
    verb = DECISIONS[act] if act in DECISIONS else ACTS[act][0]
    outcome = outcome_of(act)
    if act == "launch":
        outcome = lambda job: setattr(job, "status", JobStatus.PENDING)  # noqa: E731
    answer_with(monkeypatch, verb, outcome)

    said = in_admin(door, act, job)

    assert len(said) == 1
    assert "1" in said[0]


def test_a_launch_that_waits_for_a_second_person_is_told(door, job, rung, monkeypatch):
    status = JobStatus.AWAITING_APPROVAL
    answer_with(monkeypatch, "launch_job", lambda job: setattr(job, "status", status))
    assert in_admin(door, "launch", job) == [
        "Waiting for a second person's approval: 1."
    ]


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_what_somebody_else_decided_meanwhile_is_not_claimed(
    door, job, rung, monkeypatch, verb
):
    answer_with(monkeypatch, verb, False)
    assert in_admin(door, verb, job) == []


def test_another_time_rings_only_if_it_was_taken(door, job, rung, monkeypatch):
    path = f"/jobs/{job.pk}/schedule/"
    answer_with(monkeypatch, "reschedule_job", None)
    door.post(path, {"scheduled_for": ""})
    assert rung == [job.pk]

    answer_with(monkeypatch, "reschedule_job", TOO_LATE)
    door.post(path, {"scheduled_for": ""})
    assert rung == [job.pk]


def test_a_time_that_is_none_is_told_and_changes_nothing(door, job, monkeypatch):
    asked = answer_with(monkeypatch, "reschedule_job", None)
    answer = door.post(f"/jobs/{job.pk}/schedule/", {"scheduled_for": "soon"})

    [said] = get_messages(answer.wsgi_request)
    assert str(said) == "This is no date and time."
    assert asked == []


def test_a_reason_that_is_too_long_approves_nothing(door, job, monkeypatch):
    asked = answer_with(monkeypatch, "approve", True)
    answer = door.post(f"/jobs/{job.pk}/approve/", {"comment": "x" * 1001})

    assert [str(each) for each in get_messages(answer.wsgi_request)] == [
        "Nothing was decided. The reason is too long."
    ]
    assert asked == []


@pytest.mark.parametrize("fault", [TOO_LATE, TWO])
def test_a_decision_that_cannot_be_is_told(door, job, rung, monkeypatch, fault):
    answer_with(monkeypatch, "look_again", fault)
    answer = door.post(f"/jobs/{job.pk}/decide/", {"decision": "look"})

    [said] = get_messages(answer.wsgi_request)
    assert str(said) == " ".join(getattr(fault, "messages", [str(fault)]))
    assert rung == []


def leftover(**overrides: Any) -> LeftoverFile:
    fields = {"remote_id": "file-1", "name": "a.jsonl", "reason": "unknown"}
    provider = overrides.pop("provider", None) or make_provider()
    return LeftoverFile.objects.create(
        provider=provider, seen_at=now(), **{**fields, **overrides}
    )


def test_files_are_deleted_where_one_may_launch_and_the_worker_is_rung(monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks.delete_leftovers, "delay_on_commit", rung.append)
    mine, _elsewhere, reviewed = leftover(), leftover(), make_team()
    leftover(provider=make_provider(team=reviewed))
    request, said = RequestFactory().post("/"), []
    user = make_member(Role.LAUNCHER, mine.provider.team)
    reviewed.membership_set.create(user=user, role=Role.REVIEWER)
    request.user = user
    files: Any = admin.site._registry[LeftoverFile]
    monkeypatch.setattr(
        files, "message_user", lambda _request, text, _level: said.append(text)
    )

    files.delete_there(request, LeftoverFile.objects.all())

    asked = LeftoverFile.objects.exclude(delete_requested_at=None)
    assert (list(asked), rung) == ([mine], [mine.provider_id])
    assert said == ["A worker deletes them now: 1. A job that needs one keeps it."]


def test_a_file_says_how_far_its_deletion_is():
    files: Any = admin.site._registry[LeftoverFile]
    assert files.state(LeftoverFile(problem="In use.", delete_requested_at=now())) == (
        "In use."
    )
    assert files.state(LeftoverFile(delete_requested_at=now())) == "under way"
    assert files.state(LeftoverFile()) == ""


def test_who_has_files_looked_for_is_told_where_they_will_stand(monkeypatch, door, job):
    monkeypatch.setattr(tasks.look_for_leftovers, "delay_on_commit", lambda _pk: None)
    picked = {"_selected_action": [job.provider_id], "action": "look_for_leftovers"}

    answer = door.post("/admin/jobs_app/provider/", picked)

    [said] = get_messages(answer.wsgi_request)
    assert "Leftover files" in str(said)
