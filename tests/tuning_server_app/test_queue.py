"""Whose turn it is, and what becomes of a job whose trainer died."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from tests.tuning_server_app.factories import error_of, make_job, make_organization
from tuning_server_app.models import DeviceUse, JobStatus, Organization, TuningJob
from tuning_server_app.services import queue
from tuning_server_app.services.pausing import pause_job, resume_job, stand_still

S = JobStatus
pytestmark = pytest.mark.django_db


def test_the_queue_goes_round_the_organizations():
    one, two = make_organization(), make_organization()
    a, b, c = (make_job(organization=one, status="queued") for _ in range(3))
    d = make_job(organization=two, status="queued")
    assert queue.queued_jobs_in_fair_order() == [a, d, b, c]


def test_whoever_has_a_run_going_waits_for_the_others():
    busy, idle = make_organization(), make_organization()
    make_job(organization=busy, status="running", started_at=now())
    second = make_job(organization=busy, status="queued")
    first = make_job(organization=idle, status="queued")
    assert queue.queued_jobs_in_fair_order() == [first, second]


def trained(organization: Organization, *, hours_ago: float, hours: float) -> None:
    began = now() - timedelta(hours=hours_ago)
    DeviceUse.objects.create(
        job=make_job(organization=organization, status="succeeded"),
        began_at=began,
        ended_at=began + timedelta(hours=hours),
    )


def test_whoever_had_the_device_longer_lately_waits_for_the_others():
    long, short = make_organization(), make_organization()
    trained(long, hours_ago=9, hours=3)
    for _ in range(5):
        trained(short, hours_ago=9, hours=0.1)
    second = make_job(organization=long, status="queued")
    first = make_job(organization=short, status="queued")
    assert queue.queued_jobs_in_fair_order() == [first, second]


@pytest.mark.parametrize(("hours_ago", "hours"), [(60, 9), (33, 9.5)])
def test_what_was_trained_days_ago_no_longer_counts(hours_ago: float, hours: float):
    early, late = make_organization(), make_organization()
    trained(early, hours_ago=hours_ago, hours=hours)
    trained(late, hours_ago=2, hours=1)
    second = make_job(organization=late, status="queued")
    first = make_job(organization=early, status="queued")
    assert queue.queued_jobs_in_fair_order() == [first, second]


def test_what_is_still_running_counts_up_to_now():
    long, short = (running(make_organization(), hours=hours) for hours in (2, 1))
    second = make_job(organization=long.organization, status="queued")
    first = make_job(organization=short.organization, status="queued")
    assert queue.queued_jobs_in_fair_order() == [first, second]


def running(organization: Organization, *, hours: float) -> TuningJob:
    """A job that has had a device for so long."""
    job = make_job(organization=organization, status="queued")
    job.move_to(S.RUNNING, "taken", claim=uuid4(), heartbeat_at=now())
    DeviceUse.objects.filter(job=job).update(began_at=now() - timedelta(hours=hours))
    return job


def test_a_job_that_stood_still_has_used_its_device_all_the_same():
    paused = running(make_organization(), hours=3)
    pause_job(paused)
    stand_still(paused)
    resume_job(paused)
    first = make_job(status="queued")
    trained(first.organization, hours_ago=9, hours=1)
    assert queue.queued_jobs_in_fair_order() == [first, paused]


def test_each_attempts_own_time_counts():
    job = running(make_organization(), hours=2)
    assert queue.give_back(job, "The trainer was stopped.")
    earlier = timedelta(hours=5)
    DeviceUse.objects.update(began_at=now() - 2 * earlier, ended_at=now() - earlier)
    job.move_to(S.RUNNING, "taken", claim=uuid4(), heartbeat_at=now())
    queue.requeue_job(job, "The trainer died.")
    less, more = (make_job(status="queued") for _ in range(2))
    trained(less.organization, hours_ago=9, hours=4.9)
    trained(more.organization, hours_ago=9, hours=5.2)
    assert queue.queued_jobs_in_fair_order() == [less, job, more]


def test_the_end_of_one_run_is_not_that_of_another():
    ended, going_on = (running(make_organization(), hours=1) for _ in range(2))
    queue.give_back(ended, "The trainer was stopped.")
    assert DeviceUse.objects.get(ended_at=None).job == going_on


def test_what_was_used_long_ago_is_no_credit():
    first, second = (make_job(status="queued") for _ in range(2))
    trained(second.organization, hours_ago=60, hours=9)
    assert queue.queued_jobs_in_fair_order() == [first, second]


def test_a_trainer_that_died_used_its_device_until_then():
    job = running(make_organization(), hours=9)
    died_at = now() - timedelta(hours=8)
    TuningJob.objects.filter(pk=job.pk).update(heartbeat_at=died_at)
    queue.requeue_lost_jobs()
    later = make_job(status="queued")
    trained(later.organization, hours_ago=9, hours=2)
    assert queue.queued_jobs_in_fair_order() == [job, later]


def running_job(*, seconds_silent: int, **overrides: Any):
    heartbeat = now() - timedelta(seconds=seconds_silent)
    return make_job(
        status="running", claim="0" * 32, heartbeat_at=heartbeat, **overrides
    )


def test_a_job_whose_trainer_is_silent_is_queued_again():
    job = running_job(seconds_silent=61)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert (job.status, job.claim, job.n_lost) == (JobStatus.QUEUED, None, 1)
    assert "goes on from its last saved step" in job.events.get().message


def test_a_job_whose_trainer_lives_is_left_alone():
    job = running_job(seconds_silent=30)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


@pytest.mark.parametrize("status", [S.VALIDATING_FILES, S.QUEUED, S.PAUSED, S.FAILED])
def test_who_has_no_trainer_has_lost_none(status: JobStatus):
    job = make_job(status=status, heartbeat_at=now() - timedelta(days=1))
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert (job.status, job.n_lost) == (status, 0)


def test_a_job_that_loses_its_trainer_again_and_again_fails_and_says_why():
    job = running_job(seconds_silent=61, n_lost=queue.MAX_LOST)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert error_of(job)["code"] == "server_error"
    assert "lost its trainer 4 times" in error_of(job)["message"]


def test_many_attempts_without_a_loss_are_no_reason_to_fail():
    job = running_job(seconds_silent=0, attempts=20)
    assert queue.give_back(job, "The trainer was stopped.")
    assert (job.status, job.claim, job.n_lost) == (JobStatus.QUEUED, None, 0)
