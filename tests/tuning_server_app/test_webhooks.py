"""Webhooks: who hears how a job ended, once, signed, and never inside our own net."""

import json
import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import openai
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils.timezone import now

from guarded_calls.signing import new_secret
from tests.jobs_app.receiver import Receiver
from tests.tuning_server_app.factories import (
    make_job,
    make_key,
    make_organization,
    make_webhook,
)
from tuning_server_app import tasks
from tuning_server_app.models import (
    DeliveryState,
    JobStatus,
    Organization,
    TuningJob,
    Webhook,
    WebhookDelivery,
)
from tuning_server_app.services import jobs, webhooks

pytestmark = pytest.mark.django_db
S = JobStatus
HOOKS = "/admin/tuning_server_app/webhook/"
DELIVERIES = "/admin/tuning_server_app/webhookdelivery/"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with Receiver() as running:
        settings.WEBHOOK_ALLOWED_HOSTS = [running.host]
        yield running


def make_delivery(url: str) -> WebhookDelivery:
    """Of a job that was cancelled."""
    job = make_job()
    make_webhook(job.organization, url)
    jobs.cancel_job(job)
    return WebhookDelivery.objects.get()


def now_due(delivery: WebhookDelivery) -> WebhookDelivery:
    WebhookDelivery.objects.update(next_try_at=now())
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_openais_client_accepts_the_message(receiver: Receiver, end: str):
    job = make_job(status=S.RUNNING)
    webhook = make_webhook(job.organization, receiver.url)
    job.move_to(JobStatus(end), "It ended")
    webhooks.deliver(WebhookDelivery.objects.get())
    [(headers, body)] = receiver.got
    with openai.OpenAI(api_key="sk-none", webhook_secret=webhook.secret) as client:
        event = client.webhooks.unwrap(body, headers)
    assert (event.type, event.data.id) == (f"fine_tuning.job.{end}", job.wire_id)  # type: ignore[union-attr]
    assert event.id.startswith("evt_")
    assert WebhookDelivery.objects.get().state == DeliveryState.SENT


def test_a_message_of_another_secret_is_none(receiver: Receiver):
    webhooks.deliver(make_delivery(receiver.url))
    [(headers, body)] = receiver.got
    with (
        openai.OpenAI(api_key="sk-none", webhook_secret=new_secret()) as client,
        pytest.raises(openai.InvalidWebhookSignatureError),
    ):
        client.webhooks.unwrap(body, headers)


def test_the_message_is_stored_with_the_jobs_end_or_not_at_all():
    job = make_job()
    make_webhook(job.organization, "https://hooks.example/x")
    with transaction.atomic():
        jobs.cancel_job(job)
        assert WebhookDelivery.objects.exists()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_only_the_jobs_own_organization_hears_of_it():
    stranger = make_webhook(make_organization(), "https://elsewhere.example/x")
    delivery = make_delivery("https://hooks.example/x")
    assert delivery.webhook != stranger


def test_a_job_that_goes_on_is_not_told_of():
    job = make_job()
    make_webhook(job.organization, "https://hooks.example/x")
    job.move_to(S.QUEUED, "Files validated")
    assert not WebhookDelivery.objects.exists()


def test_of_two_workers_one_sends(receiver: Receiver):
    delivery = make_delivery(receiver.url)
    copy = WebhookDelivery.objects.get()
    webhooks.deliver(delivery)
    webhooks.deliver(copy)
    assert len(receiver.got) == 1


def test_what_another_worker_is_sending_is_left_to_it(receiver: Receiver):
    delivery = make_delivery(receiver.url)
    WebhookDelivery.objects.update(next_try_at=now() + webhooks.CLAIM)
    webhooks.deliver(delivery)
    assert receiver.got == []


def test_a_worker_that_died_while_sending_is_followed_by_another(receiver: Receiver):
    delivery = make_delivery(receiver.url)
    WebhookDelivery.objects.update(next_try_at=now() - timedelta(seconds=1))
    webhooks.deliver(delivery)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [302, 400, 500])
def test_whatever_is_no_success_is_tried_again_later(receiver: Receiver, status: int):
    receiver.answers = [status]
    delivery = make_delivery(receiver.url)
    webhooks.deliver(delivery)
    assert delivery.state == DeliveryState.WAITING
    assert delivery.next_try_at > now() + timedelta(seconds=5)
    webhooks.deliver(now_due(delivery))
    first, second = (headers["webhook-id"] for headers, _body in receiver.got)
    assert first == second
    assert (delivery.state, delivery.n_attempts) == (DeliveryState.SENT, 2)


def test_waits_grow_until_it_is_given_up_and_an_operator_sees_why(
    receiver: Receiver, admin_client: Client
):
    delivery, waits = make_delivery(receiver.url), []
    receiver.answers = [500] * 99
    while delivery.state == DeliveryState.WAITING:
        webhooks.deliver(now_due(delivery))
        waits.append(round((delivery.next_try_at - now()).total_seconds()))
    assert len(receiver.got) == len(webhooks.TRY_AGAIN_SECONDS) + 1
    assert waits[:-1] == sorted(waits[:-1])
    page = admin_client.get(f"{DELIVERIES}?state=given_up").content.decode()
    assert "answered with the status 500" in page


def test_what_is_three_days_old_is_tried_one_last_time(receiver: Receiver):
    receiver.answers = [500]
    delivery = make_delivery(receiver.url)
    delivery.created_at = now() - webhooks.GIVEN_UP_AFTER - timedelta(seconds=1)
    delivery.save()
    webhooks.deliver(delivery)
    assert (delivery.state, len(receiver.got)) == (DeliveryState.GIVEN_UP, 1)


def test_a_receiver_that_is_down_is_asked_once_for_all_that_waits(receiver: Receiver):
    receiver.answers = [500]
    delivery = make_delivery(receiver.url)
    jobs.cancel_job(make_job(organization=delivery.job.organization))
    elsewhere = make_webhook(make_organization(), receiver.url)
    jobs.cancel_job(make_job(organization=elsewhere.organization))
    webhooks.deliver(delivery)
    [left] = webhooks.due_deliveries()
    assert left.webhook == elsewhere


def test_an_operator_has_it_tried_again(receiver: Receiver, admin_client: Client):
    delivery = make_delivery(receiver.url)
    WebhookDelivery.objects.update(state=DeliveryState.GIVEN_UP, n_attempts=12)
    data = {"action": "try_again", "_selected_action": delivery.pk}
    admin_client.post(DELIVERIES, data)
    delivery.refresh_from_db()
    webhooks.deliver(delivery)
    assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_switches_its_webhook_off(receiver: Receiver):
    receiver.answers = [410]
    delivery = make_delivery(receiver.url)
    webhooks.deliver(delivery)
    assert delivery.state == DeliveryState.GIVEN_UP
    assert "410" in Webhook.objects.get().problem
    jobs.cancel_job(make_job(organization=delivery.job.organization))
    assert WebhookDelivery.objects.count() == 1


def test_an_operator_switches_it_on_again(admin_client: Client):
    webhook = make_webhook(make_organization(), "https://a.example/", problem="410")
    admin_client.post(HOOKS, {"action": "switch_on", "_selected_action": webhook.pk})
    webhook.refresh_from_db()
    assert webhook.problem == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_is_sent_into_a_private_network(
    receiver: Receiver, settings: Any, host: str
):
    delivery = make_delivery(receiver.url.replace("127.0.0.1", host))
    delivery.webhook.url = delivery.webhook.url.replace("http:", "https:")
    settings.WEBHOOK_ALLOWED_HOSTS = []
    webhooks.deliver(delivery)
    assert "inside a private network" in delivery.problem
    assert receiver.got == []


def test_a_name_is_resolved_once_and_that_address_is_called(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def resolve(host: str, port: int, *_more: Any, **_options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    settings.WEBHOOK_ALLOWED_HOSTS = [f"hooks.test:{receiver.host.split(':')[1]}"]
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    webhooks.deliver(make_delivery(receiver.url.replace("127.0.0.1", "hooks.test")))
    assert asked == ["hooks.test", "127.0.0.1"]  # the second: to connect to it
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/x", "must begin with https"),
        ("https://10.0.0.1/x", "private network"),
        ("https://[::ffff:127.0.0.1]/x", "private network"),
        ("https://me:pw@hooks.example/x", "no user name"),
        ("https://hooks.example/x#y", "no “#”"),
        ("ftp://hooks.example/x", "must look like"),
        ("https://[::1/x", "cannot be read"),
    ],
)
def test_an_address_that_may_not_be_is_refused_where_it_is_typed(
    admin_client: Client, url: str, why: str
):
    page = add_on_the_page(admin_client, url)
    assert why in page.content.decode()
    assert not Webhook.objects.exists()


def add_on_the_page(operator: Client, url: str) -> Any:
    owner, _created = Organization.objects.get_or_create(slug="acme")
    data = {"organization": owner.pk, "name": "ours", "url": url}
    return operator.post(f"{HOOKS}add/", data)


def test_the_secret_is_shown_once_and_is_unreadable_in_the_database(
    admin_client: Client, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        page = add_on_the_page(admin_client, "https://hooks.example/x")
    webhook = Webhook.objects.get()
    assert webhook.secret in page.content.decode()
    for path in (HOOKS, f"{HOOKS}{webhook.pk}/change/"):
        assert "whsec" not in admin_client.get(path).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_secret FROM tuning_server_app_webhook")
        assert "whsec" not in cursor.fetchone()[0]
    assert webhook.secret not in caplog.text + repr(webhook)


def test_an_operator_removes_a_webhook(admin_client: Client):
    delivery = make_delivery("https://hooks.example/x")
    path = f"{HOOKS}{delivery.webhook_id}/delete/"
    admin_client.post(path, {"post": "yes"})
    assert not Webhook.objects.exists()
    tasks.deliver_webhook(delivery.pk)  # rung before: finds nothing to do


def test_the_tick_finds_what_rang_unheard(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
):
    make_delivery(receiver.url)
    deliver_at_once(monkeypatch)
    for _tick in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            tasks.drive_training()
    assert len(receiver.got) == 1


def test_whoever_cancels_rings(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    api: Client,
    organization: Organization,
):
    deliver_at_once(monkeypatch)
    make_webhook(organization, receiver.url)
    job = make_job(organization=organization)
    with django_capture_on_commit_callbacks(execute=True):
        api.post(f"/v1/fine_tuning/jobs/{job.wire_id}/cancel")
    [(_headers, body)] = receiver.got
    assert json.loads(body)["data"] == {"id": job.wire_id}


def test_a_job_whose_file_is_refused_rings(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
):
    deliver_at_once(monkeypatch)
    job = make_job()
    make_webhook(job.organization, receiver.url)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.validate(job.pk)
    assert TuningJob.objects.get().status == S.FAILED
    assert len(receiver.got) == 1


def deliver_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.deliver_webhook
    monkeypatch.setattr(task, "_ring", lambda args, kwargs: task(*args, **kwargs))


def test_the_command_registers_lists_and_removes(capsys: pytest.CaptureFixture[str]):
    make_key(make_organization(slug="acme"))
    where = ("--organization", "acme")
    call_command("tuning_webhook", "add", "https://hooks.example/x", *where)
    assert capsys.readouterr().out.strip() == Webhook.objects.get().secret
    call_command("tuning_webhook", "list")
    listed = capsys.readouterr().out
    assert "acme  webhook  https://hooks.example/x  on" in listed
    assert "whsec" not in listed
    call_command("tuning_webhook", "remove", "webhook", *where)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["add", "http://a.example/"], "https"),
        (["add", "https://a.example/", "--organization", "nobody"], "no organization"),
        (["remove", "nothing"], "no webhook named"),
    ],
)
def test_the_command_says_what_cannot_be(arguments: list[str], why: str):
    make_organization(slug="default")
    with pytest.raises(CommandError, match=why):
        call_command("tuning_webhook", *arguments)
    assert not Webhook.objects.exists()


def test_two_webhooks_of_one_name_are_refused():
    make_webhook(make_organization(slug="default"), "https://a.example/")
    with pytest.raises(CommandError, match="already exists"):
        call_command(
            "tuning_webhook", "add", "https://b.example/", "--name", "deploy-bot"
        )
