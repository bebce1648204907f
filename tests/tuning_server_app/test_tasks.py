"""The tick finds whatever rang unheard."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from tests.tuning_server_app.factories import chats, make_file, make_job
from tuning_server_app import tasks
from tuning_server_app.models import File, JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is sent to the broker."""
    found: list[tuple[Any, ...]] = []
    for task in (tasks.validate, tasks.train):

        def note(
            args: tuple[int, ...] = (), name: str = task.name, **_options: Any
        ) -> None:
            found.append((name.rpartition(".")[2], *args))

        monkeypatch.setattr(task, "apply_async", note)
    return found


def tick(capture: Any) -> None:
    with capture(execute=True):
        tasks.drive_training()


def test_the_tick_rings_for_new_and_for_queued_jobs(
    rung: list[Any], django_capture_on_commit_callbacks: Any
):
    new = make_job()
    make_job(status="queued")
    make_job(status="running", heartbeat_at=now())
    make_job(status="succeeded")
    tick(django_capture_on_commit_callbacks)
    assert rung == [("validate", new.pk), ("train",)]


def test_the_tick_queues_what_lost_its_trainer(
    rung: list[Any], django_capture_on_commit_callbacks: Any
):
    make_job(status="running", heartbeat_at=now() - timedelta(minutes=2))
    tick(django_capture_on_commit_callbacks)
    assert rung == [("train",)]


def test_the_tick_deletes_what_expired(
    rung: list[Any], django_capture_on_commit_callbacks: Any
):
    make_file(life_seconds=0)
    tick(django_capture_on_commit_callbacks)
    assert not File.objects.exists()


def test_a_long_queue_is_not_called_all_at_once(
    rung: list[Any], django_capture_on_commit_callbacks: Any
):
    for _ in range(tasks.RUNG_AT_ONCE + 2):
        make_job(status="queued")
    tick(django_capture_on_commit_callbacks)
    assert len(rung) == tasks.RUNG_AT_ONCE


def test_a_checked_job_rings_for_a_trainer(
    rung: list[Any], django_capture_on_commit_callbacks: Any
):
    file = make_file(content=chats())
    job = make_job(organization=file.organization, training_file=file.wire_id)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.validate(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert rung == [("train",)]


def test_without_a_broker_the_job_stays_in_the_table(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
):
    def refuse(*_args: Any, **_options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.validate, "apply_async", refuse)
    job = make_job()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.validate.delay_on_commit(job.pk)
    assert "rang unheard: no broker" in caplog.text
