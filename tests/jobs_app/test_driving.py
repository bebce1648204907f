from datetime import timedelta

import pytest
from django.utils.timezone import now
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs_app import services, tasks
from jobs_app.models import FineTuningJob, Heartbeat, JobStatus
from jobs_app.services.heartbeats import TICK
from tests.factories import make_job

pytestmark = pytest.mark.django_db


def test_overlapping_ticks_claim_a_due_poll_once():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")

    assert services.claim_due_polls() == [job.pk]
    assert services.claim_due_polls() == []


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
    assert services.claim_due_polls() == []


def test_a_lost_message_costs_one_claim():
    job = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")
    services.claim_due_polls()
    FineTuningJob.objects.update(next_poll_at=now() - timedelta(seconds=1))

    assert services.claim_due_polls() == [job.pk]


def test_the_tick_beats_and_rings_what_is_due(monkeypatch):
    pending = make_job(status=JobStatus.PENDING)
    running = make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")
    due = {"next_comparison_at": now(), "next_poll_at": None}
    done = make_job(status=JobStatus.SUCCEEDED, remote_id="ftjob-2", **due)
    rung = []
    for name in ("submit_job", "poll_job", "compare_held_out"):
        task = getattr(tasks, name)
        monkeypatch.setattr(
            task, "delay", lambda pk, name=name: rung.append((name, pk))
        )

    tasks.drive_open_jobs()

    assert rung == [
        ("submit_job", pending.pk),
        ("poll_job", running.pk),
        ("compare_held_out", done.pk),
    ]
    assert Heartbeat.objects.get(name="worker").beaten_at <= now()


def test_without_a_beat_the_worker_is_silent_and_the_advice_says_what_to_do():
    [pulse] = services.silent_processes()

    assert pulse.beaten_at is None
    assert "first_start" in pulse.advice


def test_a_fresh_beat_is_alive_and_an_old_one_is_not():
    services.beat()
    assert services.silent_processes() == []
    Heartbeat.objects.update(beaten_at=now() - timedelta(seconds=31))

    assert [pulse.name for pulse in services.silent_processes()] == ["worker"]


def test_a_slow_tick_may_be_silent_for_three_rounds():
    minute = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.MINUTES)
    PeriodicTask.objects.create(name="tick", task=TICK, interval=minute)
    services.beat()
    Heartbeat.objects.update(beaten_at=now() - timedelta(seconds=170))
    assert services.silent_processes() == []
    Heartbeat.objects.update(beaten_at=now() - timedelta(seconds=190))

    [pulse] = services.silent_processes()
    assert "./run" in pulse.advice
