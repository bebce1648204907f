"""Whose turn it is, and what becomes of a job whose trainer died."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from tests.tuning_server_app.factories import error_of, make_job, make_organization
from tuning_server_app.models import JobStatus
from tuning_server_app.services import queue

pytestmark = pytest.mark.django_db


def test_the_queue_goes_round_the_organizations():
    one, two = make_organization(), make_organization()
    a, b, c = (make_job(organization=one, status="queued") for _ in range(3))
    d = make_job(organization=two, status="queued")
    assert queue.queued_jobs_in_fair_order() == [a, d, b, c]


def test_whoever_trained_lately_waits_for_the_others():
    busy, idle = make_organization(), make_organization()
    make_job(organization=busy, status="running", started_at=now())
    second = make_job(organization=busy, status="queued")
    first = make_job(organization=idle, status="queued")
    assert queue.queued_jobs_in_fair_order() == [first, second]


def running_job(*, seconds_silent: int, attempts: int = 1):
    heartbeat = now() - timedelta(seconds=seconds_silent)
    return make_job(
        status="running", claim="0" * 32, heartbeat_at=heartbeat, attempts=attempts
    )


def test_a_job_whose_trainer_is_silent_is_queued_again():
    job = running_job(seconds_silent=61)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert (job.status, job.claim) == (JobStatus.QUEUED, None)
    assert "begins anew (attempt 2 of 3)" in job.events.get().message


def test_a_job_whose_trainer_lives_is_left_alone():
    job = running_job(seconds_silent=30)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


def test_after_three_attempts_a_job_fails_and_says_why():
    job = running_job(seconds_silent=61, attempts=3)
    queue.requeue_lost_jobs()
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert error_of(job)["code"] == "server_error"
    assert "attempt 3 of 3" in error_of(job)["message"]
