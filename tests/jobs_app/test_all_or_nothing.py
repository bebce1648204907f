"""An act and its line in the log are stored together, or neither is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import Approval, FineTuningJob, JobEvent, JobStatus, jobs
from jobs_app.services import approvals
from teams_app import audit
from teams_app.models import AuditEntry, Role
from tests.factories import make_job, make_member, make_provider, make_team

pytestmark = pytest.mark.django_db
S = JobStatus


class Broken(Exception):
    """The database fails at this very line."""


def breaks(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    def broken(*_given: Any, **_named: Any) -> None:
        raise Broken

    monkeypatch.setattr(where, name, broken)


def everything() -> list[Any]:
    tables: list[Any] = [FineTuningJob, JobEvent, Approval, AuditEntry]
    return [list(table.objects.order_by("pk").values()) for table in tables]


def job_of(status: JobStatus, **fields: Any) -> FineTuningJob:
    fields.setdefault("provider", make_provider())
    return make_job(status=status, **fields)


def asked() -> FineTuningJob:
    team = make_team(approve_always=True)
    job = make_job(team=team, provider=make_provider(team=team))
    services.launch_job(job, by=make_member(Role.LAUNCHER, team))
    return job


def to_be_asked() -> FineTuningJob:
    return make_job(team=make_team(approve_always=True))


def for_later() -> FineTuningJob:
    later = now() + timedelta(hours=3)
    return job_of(S.PENDING, scheduled_for=later, next_poll_at=later)


def another(job: FineTuningJob) -> Any:
    return make_member(Role.LAUNCHER, job.team)


ACTS: dict[str, tuple[Callable[[], FineTuningJob], Callable[[Any], Any]]] = {
    "launch": (lambda: job_of(S.DRAFT), lambda j: services.launch_job(j, by=None)),
    "ask": (to_be_asked, lambda j: services.launch_job(j, by=None)),
    "cancel": (lambda: job_of(S.PENDING), lambda j: services.cancel_job(j, by=None)),
    "wish": (lambda: job_of(S.SUBMITTING), lambda j: services.cancel_job(j, by=None)),
    "schedule": (for_later, lambda j: services.reschedule_job(j, None, by=None)),
    "approve": (asked, lambda j: services.approve(j, by=another(j))),
    "decline": (asked, lambda j: services.decline(j, by=another(j), comment="No.")),
    "decide": (lambda: job_of(S.UNSURE), lambda j: services.look_again(j, by=None)),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_the_log_does_not_take_is_not_done(act, monkeypatch):
    make, do = ACTS[act]
    job = make()
    before = everything()
    breaks(monkeypatch, audit, "record")

    with pytest.raises(Broken):
        do(job)
    assert everything() == before


def test_a_pause_whose_answer_cannot_be_stored_is_not_told(provider, fake, monkeypatch):
    remote = fake.add_job(status="running")
    job = job_of(S.RUNNING, provider=provider, remote_id=remote["id"])
    breaks(monkeypatch, audit, "record")

    with pytest.raises(Broken):
        services.pause_job(job, by=None)
    assert not job.events.exists()


def test_a_retry_that_is_not_told_of_launches_nothing(monkeypatch):
    failed = job_of(S.FAILED)
    record = audit.record

    def record_launches_only(verb: Any, row: Any, /, **facts: Any) -> None:
        if row == failed:
            raise Broken
        record(verb, row, **facts)

    monkeypatch.setattr(audit, "record", record_launches_only)

    with pytest.raises(Broken):
        services.retry_job(failed, by=None)
    assert not FineTuningJob.objects.filter(status=S.PENDING).exists()


@pytest.mark.parametrize("act", [services.launch_again, approvals.ask_again])
def test_no_job_waits_for_an_approval_that_nobody_was_asked_for(act, monkeypatch):
    job = asked()
    approvals.withdraw(job)
    status = S.UNSURE if act == services.launch_again else S.SUBMITTING
    FineTuningJob.objects.update(status=status, create_sent_at=now())
    job.refresh_from_db()
    breaks(monkeypatch, approvals, "ask")

    with pytest.raises(Broken):
        act(job, by=None) if status == S.UNSURE else act(job)
    assert FineTuningJob.objects.get().status == status


def test_a_job_that_was_found_waits_for_no_approval(monkeypatch):
    job = asked()
    FineTuningJob.objects.update(create_sent_at=now())
    job.refresh_from_db()
    breaks(monkeypatch, approvals, "withdraw")

    with pytest.raises(Broken):
        services.take_as_ours(job, "ftjob-1", by=None)
    assert FineTuningJob.objects.get().status == S.AWAITING_APPROVAL


def test_a_move_without_its_line_in_the_story_is_none(monkeypatch):
    job = job_of(S.PENDING)
    breaks(monkeypatch, jobs, "tell_of_move")

    with pytest.raises(Broken):
        job.move_to(S.SUBMITTING)
    assert FineTuningJob.objects.get().status == S.PENDING
