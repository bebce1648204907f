"""A worker that dies is replaced within a minute and a half; one that slept sends
nothing more."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus
from jobs_app.providers.outgoing import Slice
from jobs_app.services import claiming, submitting, uploading
from jobs_app.services.claiming import Claim, claim, claimed
from jobs_app.services.waiting import ClaimLost
from tests.factories import make_job

CREATE = ("POST", "/v1/fine_tuning/jobs")
PATIENCE_SECONDS = 60
pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> FineTuningJob:
    """As its worker knows it."""
    job = make_job(status=JobStatus.PENDING)
    assert claim(job)
    return job


@pytest.fixture
def launched(provider) -> FineTuningJob:
    return make_job(provider=provider, status=JobStatus.PENDING)


def let_pass(monkeypatch, seconds: float) -> None:
    later = now() + timedelta(seconds=seconds)
    monkeypatch.setattr(claiming, "now", lambda: later)


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def sleep_and_lose_the_claim(monkeypatch) -> None:
    """The worker stops for two minutes, in which another one takes the job."""
    let_pass(monkeypatch, 120)
    assert services.reclaim_stalled_jobs() == 1


def test_a_job_whose_worker_died_is_freed_within_a_minute_and_a_half(job, monkeypatch):
    assert services.reclaim_stalled_jobs() == 0
    let_pass(monkeypatch, 90)

    assert services.reclaim_stalled_jobs() == 1
    job.refresh_from_db()
    assert job.status == JobStatus.PENDING


def test_the_tick_that_frees_a_job_rings_for_it(job):
    a_moment_ago, much_later = now() - timedelta(seconds=1), now() + timedelta(hours=1)
    FineTuningJob.objects.update(claimed_until=a_moment_ago, next_poll_at=much_later)

    services.reclaim_stalled_jobs()

    assert services.claim_due_submissions() == [job.pk]


def test_a_job_of_a_living_worker_is_not_freed(job, monkeypatch):
    let_pass(monkeypatch, 50)
    Claim(job, max_seconds=900).renew()
    let_pass(monkeypatch, 50)

    assert services.reclaim_stalled_jobs() == 0


def test_a_claim_that_is_renewed_at_the_last_moment_stands(job, monkeypatch):
    as_the_tick_read_it = FineTuningJob.objects.get(pk=job.pk)
    let_pass(monkeypatch, 90)
    Claim(job, max_seconds=900).renew()

    assert not claiming._free(as_the_tick_read_it)


def test_a_claim_that_was_taken_cannot_be_renewed(job, monkeypatch):
    held = Claim(job, max_seconds=900)
    sleep_and_lose_the_claim(monkeypatch)

    with pytest.raises(ClaimLost):
        held.renew()


def test_a_claim_ends_though_the_job_is_being_submitted_again(job, monkeypatch):
    held = Claim(job, max_seconds=900)
    sleep_and_lose_the_claim(monkeypatch)
    assert claim(FineTuningJob.objects.get(pk=job.pk))

    with pytest.raises(ClaimLost):
        held.renew()


def test_a_claim_is_of_one_job(job):
    at_once = {"status_changed_at": job.status_changed_at}
    make_job(status=JobStatus.SUBMITTING, **at_once)

    assert list(claimed(job)) == [job]


def test_nobody_holds_a_job_longer_than_a_submission_may_take(job, monkeypatch):
    held = Claim(job, max_seconds=900)
    let_pass(monkeypatch, 901)

    with pytest.raises(ClaimLost):
        held.renew()


def test_whether_bytes_may_leave_is_seldom_asked_of_the_database(
    job, django_assert_num_queries
):
    held = Claim(job, max_seconds=900)

    with django_assert_num_queries(0):
        held.check()


def test_a_worker_stops_to_send_before_another_one_may_begin(job, monkeypatch):
    held = Claim(job, max_seconds=900)
    let_pass(monkeypatch, claiming.CLAIM_SECONDS - 1)
    FineTuningJob.objects.update(status=JobStatus.PENDING)

    assert claiming.MARGIN_SECONDS > 1
    with pytest.raises(ClaimLost):
        held.check()


def test_a_late_worker_whose_job_nobody_took_goes_on(job, monkeypatch):
    held = Claim(job, max_seconds=900)
    let_pass(monkeypatch, 120)

    held.check()

    assert services.reclaim_stalled_jobs() == 0


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_renewed_while_its_worker_waits(job, monkeypatch):
    monkeypatch.setattr(claiming, "RENEW_SECONDS", 0.01)
    claimed_until, n_threads = job.claimed_until, threading.active_count()

    with Claim(job, max_seconds=900):
        until = time.monotonic() + PATIENCE_SECONDS
        while job.claimed_until == claimed_until:
            assert time.monotonic() < until
            job.refresh_from_db()

    assert threading.active_count() == n_threads


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_was_taken_is_renewed_no_more(job, monkeypatch):
    monkeypatch.setattr(claiming, "RENEW_SECONDS", 0.01)
    FineTuningJob.objects.update(status=JobStatus.PENDING)

    with Claim(job, max_seconds=900) as held:
        held._renewer.join(PATIENCE_SECONDS)

        assert not held._renewer.is_alive()


def test_a_busy_database_does_not_end_the_renewing(job, monkeypatch):
    held = Claim(job, max_seconds=900)

    def is_busy() -> None:
        raise OperationalError

    monkeypatch.setattr(held, "renew", is_busy)

    held._renew_if_possible()


def test_a_worker_that_slept_before_its_request_creates_nothing(
    launched, fake, monkeypatch
):
    announce = submitting._announce

    def announce_and_sleep(*args: object) -> None:
        announce(*args)  # type: ignore[arg-type]
        sleep_and_lose_the_claim(monkeypatch)

    monkeypatch.setattr(submitting, "_announce", announce_and_sleep)

    assert submit(launched).status == JobStatus.PENDING
    assert not fake.sent(*CREATE)
    assert "the worker that was submitting it stopped" in launched.events.last().message


def test_a_worker_that_slept_before_the_announcement_announces_nothing(
    launched, fake, monkeypatch
):
    monkeypatch.setattr(
        submitting,
        "wait_until_processed",
        lambda *args: sleep_and_lose_the_claim(monkeypatch),
    )

    assert submit(launched).create_sent_at is None
    assert not fake.sent(*CREATE)


def test_a_job_that_is_taken_between_two_looks_is_given_up(launched, fake, monkeypatch):
    def renew_and_lose(held: Claim) -> None:
        FineTuningJob.objects.update(status=JobStatus.PENDING)

    monkeypatch.setattr(Claim, "renew", renew_and_lose)

    assert submit(launched).status == JobStatus.PENDING
    assert not fake.files


def test_a_worker_that_slept_before_the_upload_sends_no_file(
    launched, fake, monkeypatch
):
    monkeypatch.setattr(
        uploading, "_find", lambda *args: sleep_and_lose_the_claim(monkeypatch)
    )

    submit(launched)

    assert not fake.files


def test_an_upload_that_slept_is_not_brought_to_its_end(launched, fake, monkeypatch):
    """Half of a file is no file; what the other worker sends is the only one."""
    read = Slice.readinto
    naps: list[None] = []

    def read_late(piece: Slice, buffer: Any) -> int:
        if not naps:
            naps.append(None)
            sleep_and_lose_the_claim(monkeypatch)
        return read(piece, buffer)

    monkeypatch.setattr(Slice, "readinto", read_late)

    submit(launched)

    assert naps
    assert not fake.files
