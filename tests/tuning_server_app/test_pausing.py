"""Pause and resume: a wish of the owner, carried out by the trainer."""

import uuid
from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import make_job
from tuning_server_app.errors import ApiError
from tuning_server_app.models import (
    FINISHED,
    JobEvent,
    JobStatus,
    Organization,
    TuningJob,
)
from tuning_server_app.services.pausing import pause_job, resume_job, stand_still
from tuning_server_app.services.queue import give_back, requeue_job

S = JobStatus
pytestmark = pytest.mark.django_db


def ask(api: Client, job: TuningJob, verb: str) -> Any:
    """As the openai client does it: the type of a body, and none."""
    path = f"/v1/fine_tuning/jobs/{job.wire_id}/{verb}"
    return api.post(path, b"", content_type="application/json")


def make_running(**overrides: Any) -> TuningJob:
    fields = {"status": S.RUNNING, "claim": uuid.uuid4(), "heartbeat_at": now()}
    return make_job(**{**fields, **overrides})


def messages(job: TuningJob) -> list[str]:
    return list(job.events.order_by("pk").values_list("message", flat=True))


def test_a_running_job_runs_until_its_trainer_has_saved(
    api: Client, organization: Organization
):
    job = make_running(organization=organization)
    assert ask(api, job, "pause").json()["status"] == "running"
    job.refresh_from_db()
    assert job.pause_requested_at is not None
    assert stand_still(job)
    assert (job.status, job.claim, job.pause_requested_at) == (S.PAUSED, None, None)
    assert messages(job) == ["Pause requested", "The job was paused"]


def test_a_queued_job_is_paused_at_once_and_resumed(
    api: Client, organization: Organization
):
    job = make_job(organization=organization, status=S.QUEUED)
    assert ask(api, job, "pause").json()["status"] == "paused"
    assert ask(api, job, "resume").json()["status"] == "queued"


def test_a_second_pause_changes_nothing(api: Client, organization: Organization):
    job = make_running(organization=organization)
    assert [ask(api, job, "pause").status_code for _ in range(2)] == [200, 200]
    assert messages(job) == ["Pause requested"]


@pytest.mark.parametrize("status", [*sorted(FINISHED), S.VALIDATING_FILES])
@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_in_another_state_it_is_refused(
    api: Client, organization: Organization, status: JobStatus, verb: str
):
    job = make_job(organization=organization, status=status)
    answer = ask(api, job, verb)
    assert answer.status_code == 400  # 409 would be repeated by the client
    assert status in answer.json()["error"]["message"]


def test_a_running_job_is_not_resumed(api: Client, organization: Organization):
    job = make_running(organization=organization)
    assert ask(api, job, "resume").status_code == 400


def test_a_wish_that_is_withdrawn_lets_the_job_run(
    api: Client, organization: Organization
):
    job = make_running(organization=organization, pause_requested_at=now())
    assert ask(api, job, "resume").json()["status"] == "running"
    job.refresh_from_db()
    assert job.pause_requested_at is None


def test_a_wish_withdrawn_while_the_trainer_saved_sends_the_job_back():
    job = make_running(pause_requested_at=now())
    resume_job(TuningJob.objects.get(pk=job.pk))
    assert stand_still(job)
    assert (job.status, job.claim) == (S.QUEUED, None)


def test_a_job_in_other_hands_does_not_stand_still():
    job = make_running(pause_requested_at=now())
    TuningJob.objects.update(claim=uuid.uuid4())
    assert not stand_still(job)


def test_a_job_that_moves_during_the_pause_is_asked_all_the_same():
    job = make_job(status=S.QUEUED)
    stale = TuningJob.objects.get(pk=job.pk)
    job.move_to(S.RUNNING, "taken", claim=uuid.uuid4())
    pause_job(stale)
    assert stale.pause_requested_at is not None


def test_a_job_that_is_paused_as_its_owner_wants_it_to_run_is_queued():
    job = make_running(pause_requested_at=now())
    stale = TuningJob.objects.get(pk=job.pk)
    assert stand_still(job)
    resume_job(stale)
    assert stale.status == S.QUEUED


def test_a_second_resume_finds_nothing_to_resume():
    job = make_job(status=S.PAUSED)
    stale = TuningJob.objects.get(pk=job.pk)
    resume_job(job)
    with pytest.raises(ApiError, match="Only a paused job can be"):
        resume_job(stale)
    assert messages(job) == ["The job was resumed"]


@pytest.mark.parametrize("leave", [requeue_job, give_back])
def test_a_job_that_was_to_pause_is_not_given_to_another_trainer(leave: Any):
    job = make_running(pause_requested_at=now(), attempts=3)
    assert leave(job, "The trainer is gone.")
    assert job.status == S.PAUSED


def test_who_stands_still_will_finish_nobody_knows_when():
    job = make_running(pause_requested_at=now(), estimated_finish_at=now())
    assert stand_still(job)
    assert job.estimated_finish_at is None


def test_a_paused_job_can_be_cancelled(api: Client, organization: Organization):
    job = make_job(organization=organization, status=S.PAUSED)
    assert ask(api, job, "cancel").json()["status"] == "cancelled"


def test_an_end_forgets_the_wish():
    job = make_running(pause_requested_at=now())
    job.move_to(S.SUCCEEDED, "done")
    assert job.pause_requested_at is None


def test_of_two_wishes_at_once_one_is_noted():
    job = make_running()
    stale = TuningJob.objects.get(pk=job.pk)
    for copy in (job, stale):
        pause_job(copy)
    assert messages(job) == ["Pause requested"]


def test_a_job_that_ended_during_the_pause_says_so():
    job = make_running()
    stale = TuningJob.objects.get(pk=job.pk)
    job.move_to(S.SUCCEEDED, "done")
    with pytest.raises(ApiError, match="has ended: it is succeeded"):
        pause_job(stale)
    assert TuningJob.objects.get().pause_requested_at is None


def test_the_wish_of_one_job_is_not_anothers():
    job, other = make_running(), make_running()
    pause_job(job)
    assert stand_still(job)
    other.refresh_from_db()
    assert (other.status, other.pause_requested_at) == (S.RUNNING, None)


def test_a_wish_is_noted_with_its_event_or_not_at_all():
    job = make_running()

    def fail(**_event: Any) -> None:
        raise RuntimeError

    pre_save.connect(fail, sender=JobEvent, weak=False, dispatch_uid="fails")
    try:
        with pytest.raises(RuntimeError):
            pause_job(job)
    finally:
        pre_save.disconnect(sender=JobEvent, dispatch_uid="fails")
    assert TuningJob.objects.get().pause_requested_at is None


def test_a_job_that_ended_is_not_resumed_whatever_was_wished():
    job = make_job(status=S.SUCCEEDED, pause_requested_at=now())
    with pytest.raises(ApiError, match="has ended"):
        resume_job(job)
