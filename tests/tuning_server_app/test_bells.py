"""A door that leaves work to others rings for them, and rings once it is committed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    BASE,
    make_file,
    make_job,
    make_model,
    make_webhook,
)
from tuning_server_app import tasks
from tuning_server_app.models import (
    DeliveryState,
    Export,
    JobStatus,
    Organization,
    TuningJob,
    WebhookDelivery,
)
from tuning_server_app.services import exports

JOBS = "/v1/fine_tuning/jobs"
ADMIN = "/admin/tuning_server_app"
BELLS = (tasks.validate, tasks.train, tasks.make_export, tasks.deliver_webhook)

Rung = list[tuple[Any, ...]]


@pytest.fixture
def rung(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Callable[[Callable[[], object]], Rung]:
    """What rings when something is done and committed."""
    found: Rung = []
    for task in BELLS:
        name = task.name.rpartition(".")[2]
        monkeypatch.setattr(
            task, "_ring", lambda args, _kwargs, name=name: found.append((name, *args))
        )

    def rung(act: Callable[[], object]) -> Rung:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return found

    return rung


@pytest.fixture
def ended(organization: Organization) -> TuningJob:
    """A job whose end a webhook wants to hear of."""
    make_webhook(organization, "https://example.com/hook")
    return make_job(organization=organization, status="queued")


def act_on(operator: Client, page: str, action: str, pk: int) -> Any:
    data = {"action": action, "_selected_action": pk}
    return operator.post(f"{ADMIN}/{page}/", data)


def test_a_new_job_is_checked_at_once(api: Client, rung: Any):
    file = make_file(Organization.objects.get()).wire_id
    body = {"model": BASE, "training_file": file}
    found = rung(lambda: api.post(JOBS, body, "application/json"))
    assert found == [("validate", TuningJob.objects.get().pk)]


def test_a_resumed_job_calls_a_trainer(
    api: Client, organization: Organization, rung: Any
):
    job = make_job(organization=organization, status="paused")
    assert rung(lambda: api.post(f"{JOBS}/{job.wire_id}/resume")) == [("train",)]


def test_weights_are_made_as_soon_as_somebody_asks(
    api: Client, organization: Organization, rung: Any
):
    exports.offer(make_model(make_job(organization=organization)))
    export = Export.objects.select_related("file").get(kind="merged")
    path = f"/v1/files/{export.file.wire_id}/content"
    assert rung(lambda: api.get(path)) == [("make_export", export.pk)]


def test_a_cancelled_job_rings_for_its_webhooks(
    api: Client, ended: TuningJob, rung: Any
):
    found = rung(lambda: api.post(f"{JOBS}/{ended.wire_id}/cancel"))
    assert found == [("deliver_webhook", WebhookDelivery.objects.get().pk)]


def test_a_job_cancelled_in_the_admin_rings_for_its_webhooks(
    admin_client: Client, ended: TuningJob, rung: Any
):
    found = rung(lambda: act_on(admin_client, "tuningjob", "cancel", ended.pk))
    assert found == [("deliver_webhook", WebhookDelivery.objects.get().pk)]


def test_a_message_that_is_tried_again_is_sent_at_once(
    admin_client: Client, ended: TuningJob, rung: Any
):
    ended.move_to(JobStatus.CANCELLED, "")
    WebhookDelivery.objects.update(state=DeliveryState.GIVEN_UP)
    delivery = WebhookDelivery.objects.get()
    page = "webhookdelivery"
    found = rung(lambda: act_on(admin_client, page, "try_again", delivery.pk))
    assert found == [("deliver_webhook", delivery.pk)]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.WAITING
