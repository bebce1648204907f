"""What a task does for the row it names, and what every tick sees to."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tuning_server_app.factories import (
    chats,
    make_file,
    make_job,
    make_model,
    make_organization,
    make_webhook,
)
from tests.tuning_server_app.test_bells import Rung, rung
from tuning_server_app import tasks
from tuning_server_app.models import (
    Export,
    ExportState,
    JobStatus,
    TuningJob,
    WebhookDelivery,
)
from tuning_server_app.services import (
    exports,
    files,
    leftovers,
    queue,
    run_folder,
    stored_chats,
    training,
    uploads,
    webhooks,
)
from tuning_server_app.services.tuned_models import delete_model

__all__ = ["rung"]  # a fixture
pytestmark = pytest.mark.django_db


def ended_job() -> TuningJob:
    """A job whose end a webhook waits for, and whose weights can be packed."""
    organization = make_organization()
    make_webhook(organization, "https://example.com/hook")
    job = make_job(organization=organization, status="running", claim="0" * 32)
    exports.offer(make_model(job))
    job.move_to(JobStatus.SUCCEEDED, "done")
    return job


def bells_of(job: TuningJob) -> Rung:
    delivery = WebhookDelivery.objects.get(job=job)
    export = Export.objects.get(tuned_model__job=job, state=ExportState.WANTED)
    return [("deliver_webhook", delivery.pk), ("make_export", export.pk)]


def test_of_two_new_jobs_the_one_that_is_named_is_checked(rung: Any):
    file = make_file(content=chats())
    fields = {"organization": file.organization, "training_file": file.wire_id}
    first, second = make_job(**fields), make_job(**fields)
    assert rung(lambda: tasks.validate(second.pk)) == [("train",)]
    second.refresh_from_db()
    assert second.status == JobStatus.QUEUED
    assert TuningJob.objects.get(pk=first.pk).heartbeat_at is None


def test_after_a_run_its_webhooks_and_its_weights_are_rung_for(
    rung: Any, monkeypatch: pytest.MonkeyPatch
):
    ended_job()
    job = ended_job()
    monkeypatch.setattr(training, "train_next", lambda: job)
    assert rung(tasks.train) == bells_of(job)


def test_a_trainer_that_found_nothing_to_do_rings_for_nobody(
    rung: Any, monkeypatch: pytest.MonkeyPatch
):
    delete_model(ended_job().tuned_models.get())
    monkeypatch.setattr(training, "train_next", lambda: None)
    assert rung(tasks.train) == []


def test_of_two_exports_the_one_that_is_named_is_made(monkeypatch: pytest.MonkeyPatch):
    made: list[Export] = []
    monkeypatch.setattr(exports, "make", made.append)
    ended_job()
    ended_job()
    _first, second = exports.wanted()
    tasks.make_export(second.pk)
    assert made == [second]


def test_of_two_messages_the_one_that_is_named_is_sent(
    monkeypatch: pytest.MonkeyPatch,
):
    sent: list[WebhookDelivery] = []
    monkeypatch.setattr(webhooks, "deliver", sent.append)
    ended_job()
    ended_job()
    _first, second = WebhookDelivery.objects.order_by("pk")
    tasks.deliver_webhook(second.pk)
    assert sent == [second]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (files, "delete_expired_files"),
        (leftovers, "remove_leftovers"),
        (uploads, "expire_uploads"),
        (stored_chats, "delete_old_chats"),
        (run_folder, "clear_ended_runs"),
        (queue, "requeue_lost_jobs"),
        (exports, "give_back_lost"),
        (exports, "drop_unused"),
    ],
)
def test_every_tick_sees_to_it(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str
):
    seen: list[str] = []
    monkeypatch.setattr(module, name, lambda: seen.append(name))
    tasks.drive_training()
    assert seen == [name]


@pytest.mark.parametrize(
    ("bell", "make"),
    [
        ("validate", make_job),
        ("train", lambda: make_job(status="queued")),
        ("make_export", ended_job),
        ("deliver_webhook", ended_job),
    ],
)
def test_a_tick_rings_for_some_and_not_for_all(
    rung: Any, monkeypatch: pytest.MonkeyPatch, bell: str, make: Callable[[], object]
):
    monkeypatch.setattr(tasks, "RUNG_AT_ONCE", 1)
    monkeypatch.setattr(tasks, "DELIVERIES_AT_ONCE", 1)
    make()
    make()
    found = rung(tasks.drive_training)
    assert [name for name, *_pk in found].count(bell) == 1
