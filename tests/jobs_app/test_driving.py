from datetime import timedelta

import pytest
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.models import Heartbeat, JobStatus
from jobs_app.providers import ProviderUnavailable
from jobs_app.services import pace
from jobs_app.services.pace import Work
from tests.factories import make_job

pytestmark = pytest.mark.django_db


def test_a_provider_that_somebody_polls_is_left_to_them():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")

    assert services.providers_to_poll() == [job.provider_id]
    with pace.lease(job.provider, Work.POLL, seconds=60) as is_mine:
        assert is_mine
        assert services.providers_to_poll() == []
        with pace.lease(job.provider, Work.POLL, seconds=60) as is_mine_too:
            assert not is_mine_too
    assert services.providers_to_poll() == [job.provider_id]


def test_whoever_dies_in_a_poll_holds_it_up_for_a_while_only():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")

    with (
        pace.lease(job.provider, Work.POLL, seconds=-1),
        pace.lease(job.provider, Work.POLL, seconds=60) as is_mine,
    ):
        assert is_mine


def test_a_lease_that_ran_out_is_not_ended_by_who_held_it():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")
    first = pace.lease(job.provider, Work.POLL, seconds=-1)
    first.__enter__()
    with pace.lease(job.provider, Work.POLL, seconds=60):
        first.__exit__(None, None, None)

        assert services.providers_to_poll() == []


def test_a_provider_that_asked_to_wait_is_left_alone():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")
    with pace.lease(job.provider, Work.POLL, seconds=60):
        pace.block(job.provider, ProviderUnavailable("busy", retry_after=99))

    assert services.providers_to_poll() == []


def test_overlapping_ticks_claim_a_submission_once():
    job = make_job(status=JobStatus.PENDING)

    assert services.claim_due_submissions() == [job.pk]
    assert services.claim_due_submissions() == []


def test_a_claim_needs_the_due_time_that_was_read(monkeypatch):
    from jobs_app.services import driving

    job = make_job(status=JobStatus.PENDING)
    read_at, until = job.next_poll_at, now() + timedelta(minutes=1)
    assert read_at is not None

    assert driving._claim_one(job.pk, "next_poll_at", read_at, until)
    assert not driving._claim_one(job.pk, "next_poll_at", read_at, until)


def test_what_is_not_due_is_left_alone():
    later = now() + timedelta(minutes=5)
    make_job(status=JobStatus.PENDING, next_poll_at=later)
    make_job(status=JobStatus.RUNNING, remote_id="ftjob-1", next_poll_at=later)
    make_job(status=JobStatus.SUCCEEDED, remote_id="ftjob-2", next_poll_at=None)
    make_job(status=JobStatus.DRAFT)

    assert services.claim_due_submissions() == []
    assert services.providers_to_poll() == []
    assert services.providers_to_read() == []


def test_the_tick_beats_and_rings_what_is_due(monkeypatch):
    pending = make_job(status=JobStatus.PENDING)
    running = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")
    due = {"next_comparison_at": now(), "next_poll_at": None}
    done = make_job(status=JobStatus.SUCCEEDED, remote_id="ftjob-2", **due)
    running.next_reading_at = now()
    running.save()
    rung: list[tuple[str, int]] = []
    names = ("submit_job", "poll_provider", "read_histories", "compare_held_out")
    for name in names:
        task = getattr(tasks, name)
        monkeypatch.setattr(
            task, "delay", lambda pk, name=name: rung.append((name, pk))
        )

    tasks.drive_open_jobs()

    assert rung == [
        ("submit_job", pending.pk),
        ("poll_provider", running.provider_id),
        ("read_histories", running.provider_id),
        ("compare_held_out", done.pk),
    ]
    tick = Heartbeat.objects.get(name="tick")
    assert tick.beaten_at <= now()
    assert tick.seconds is not None
