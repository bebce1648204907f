"""What is done with one message or one webhook leaves the others alone."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.timezone import now

from tests.jobs_app.receiver import Receiver
from tests.tuning_server_app.factories import make_job, make_organization, make_webhook
from tuning_server_app.models import (
    DeliveryState,
    Organization,
    Webhook,
    WebhookDelivery,
)
from tuning_server_app.services import jobs, webhooks

pytestmark = pytest.mark.django_db
S = DeliveryState


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with Receiver() as running:
        settings.WEBHOOK_ALLOWED_HOSTS = [running.host]
        yield running


def delivery_to(url: str, organization: Organization | None = None) -> WebhookDelivery:
    organization = organization or make_organization()
    if not Webhook.objects.filter(organization=organization).exists():
        make_webhook(organization, url)
    jobs.cancel_job(make_job(organization=organization))
    return WebhookDelivery.objects.latest("pk")


def states() -> list[str]:
    return [*WebhookDelivery.objects.order_by("pk").values_list("state", flat=True)]


def test_one_message_that_was_given_up_is_tried_again():
    first, _second = delivery_to("https://a.example/"), delivery_to("https://b.test/")
    WebhookDelivery.objects.update(state=S.GIVEN_UP)
    webhooks.try_again(first)
    assert states() == [S.WAITING, S.GIVEN_UP]


def test_a_message_that_got_through_is_not_tried_again():
    delivery = delivery_to("https://a.example/")
    WebhookDelivery.objects.update(state=S.SENT)
    webhooks.try_again(delivery)
    assert states() == [S.SENT]


@pytest.mark.parametrize("state", [S.SENT, S.GIVEN_UP])
def test_what_has_ended_is_not_sent(receiver: Receiver, state: DeliveryState):
    delivery = delivery_to(receiver.url)
    WebhookDelivery.objects.update(state=state, next_try_at=now())
    webhooks.deliver(delivery)
    assert receiver.got == []


def test_nothing_is_sent_to_a_webhook_that_was_switched_off(receiver: Receiver):
    delivery = delivery_to(receiver.url)
    Webhook.objects.update(problem="gone")
    webhooks.deliver(delivery)
    assert (receiver.got, states()) == ([], [S.GIVEN_UP])


def test_one_that_is_gone_switches_no_other_off(receiver: Receiver):
    receiver.answers = [410]
    delivery, other = delivery_to(receiver.url), delivery_to("https://b.test/")
    webhooks.deliver(delivery)
    assert Webhook.objects.get(pk=other.webhook_id).problem == ""


def test_why_it_was_switched_off_first_stays(receiver: Receiver):
    delivery = delivery_to(receiver.url)
    Webhook.objects.update(problem="the receiver is gone")
    webhooks.deliver(delivery)
    assert Webhook.objects.get().problem == "the receiver is gone"


def test_a_receiver_that_is_not_there_is_tried_again(settings: Any):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    settings.WEBHOOK_ALLOWED_HOSTS = [host]
    delivery = delivery_to(f"http://{host}/")
    webhooks.deliver(delivery)
    assert delivery.state == S.WAITING
    assert "cannot be reached" in delivery.problem


def test_a_secret_that_cannot_be_read_is_told(receiver: Receiver):
    delivery = delivery_to(receiver.url)
    Webhook.objects.update(sealed_secret="sealed with another key")
    delivery.refresh_from_db()
    webhooks.deliver(delivery)
    assert (delivery.state, receiver.got) == (S.WAITING, [])
    assert delivery.problem


def test_an_end_that_another_worker_noted_stays(monkeypatch: pytest.MonkeyPatch):
    def lose(_delivery: WebhookDelivery) -> None:
        WebhookDelivery.objects.update(state=S.SENT)
        raise webhooks.NotDelivered("too late", is_gone=True)

    delivery = delivery_to("https://a.example/")
    monkeypatch.setattr(webhooks, "_send", lose)
    webhooks.deliver(delivery)
    assert states() == [S.SENT]


def test_what_is_given_up_is_a_line_in_the_log(receiver: Receiver, caplog: Any):
    delivery = delivery_to(receiver.url)
    webhooks._note_failure(delivery, webhooks.NotDelivered("Gone.", is_gone=True))
    assert f"{delivery.message_id} was given up" in caplog.text
