"""Telling registered addresses how jobs ended: signed, tried again for three days."""

import logging
from datetime import datetime, timedelta

import httpx2
import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from guarded_calls.addresses import (
    Fault,
    FaultyUrl,
    check_webhook_url,
    refuse_inside,
)
from guarded_calls.pinned import post
from guarded_calls.sealing import UnreadableSecret
from guarded_calls.signing import Message, new_secret, signed_headers
from tuning_server_app.models import DeliveryState, Webhook, WebhookDelivery

logger = logging.getLogger(__name__)

SEND_SECONDS = 15.0
# Longer than an attempt takes, so that a claim outlives the work it guards.
CLAIM = timedelta(seconds=60)
HOUR = 3600
# Together three days; after the last of them, and after three days, it is given up.
TRY_AGAIN_SECONDS = (
    *(10, 30, 60, 300, 900),
    *(HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR),
)
GIVEN_UP_AFTER = timedelta(seconds=sum(TRY_AGAIN_SECONDS))
GONE = 410


class RefusedUrl(Exception):
    """No webhook may lead there; the text says why, and what to do."""


class NotDelivered(Exception):
    """It did not get through; the text says why. `is_gone`: nobody wants it now."""

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_gone = is_gone


def check_url(url: str) -> None:
    """Raises RefusedUrl."""
    try:
        check_webhook_url(url, settings.WEBHOOK_ALLOWED_HOSTS)
    except FaultyUrl as error:
        raise RefusedUrl(_words(error)) from error


def add_webhook(webhook: Webhook) -> str:
    """Store the new webhook, whose address was checked.

    Returns:
        its secret, `whsec_…`: the one time to show it.
    """
    secret = new_secret()
    webhook.secret = secret
    webhook.save(force_insert=True)
    return secret


def switch_on(webhook: Webhook) -> None:
    """What was given up meanwhile stays so; see `try_again`."""
    webhook.problem = ""
    webhook.save(update_fields=["problem"])


def try_again(delivery: WebhookDelivery) -> None:
    """Begin anew with a message that was given up; its id stays."""
    given_up = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.GIVEN_UP
    )
    given_up.update(state=DeliveryState.WAITING, n_attempts=0, next_try_at=now())


def due_deliveries() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        state=DeliveryState.WAITING, next_try_at__lte=now()
    ).order_by("next_try_at", "pk")


def deliver(delivery: WebhookDelivery) -> None:
    """Try once, unless another worker does, or it is not due. The row knows the end.

    It is at least once: a process killed after sending and before noting it sends
    again, with the same message id.
    """
    if not due_deliveries().filter(pk=delivery.pk).update(next_try_at=now() + CLAIM):
        return
    try:
        _send(delivery)
    except NotDelivered as error:
        _note_failure(delivery, error)
    else:
        _note(delivery, state=DeliveryState.SENT, sent_at=now(), problem="")


def _send(delivery: WebhookDelivery) -> None:
    if delivery.webhook.problem:
        raise NotDelivered("The webhook is switched off.", is_gone=True)
    status = _post(delivery.webhook, _message(delivery))
    if not 200 <= status < 300:
        raise NotDelivered(
            f"The receiver answered with the status {status}.", is_gone=status == GONE
        )


def _post(webhook: Webhook, message: Message) -> int:
    try:
        # Judged again: what is allowed may have changed.
        endpoint = check_webhook_url(webhook.url, settings.WEBHOOK_ALLOWED_HOSTS)
        is_allowed = str(endpoint) in settings.WEBHOOK_ALLOWED_HOSTS
        return post(
            webhook.url,
            endpoint,
            judge=None if is_allowed else refuse_inside,
            headers={
                "content-type": "application/json",
                "user-agent": "tuning-server",
                **signed_headers(message, webhook.secret),
            },
            body=message.body,
            seconds=SEND_SECONDS,
        )
    except FaultyUrl as error:
        raise NotDelivered(_words(error)) from error
    except UnreadableSecret as error:
        raise NotDelivered(str(error)) from error
    except (httpx2.HTTPError, OSError) as error:
        raise NotDelivered(
            "The receiver cannot be reached, or did not answer in time."
        ) from error


def _message(delivery: WebhookDelivery) -> Message:
    body = {
        "id": delivery.event_id,
        "object": "event",
        "created_at": int(delivery.created_at.timestamp()),
        "type": delivery.event_type,
        "data": {"id": delivery.job.wire_id},
    }
    return Message(delivery.message_id, int(now().timestamp()), orjson.dumps(body))


def _note_failure(delivery: WebhookDelivery, error: NotDelivered) -> None:
    waits = TRY_AGAIN_SECONDS[delivery.n_attempts :]
    is_old = delivery.created_at < now() - GIVEN_UP_AFTER
    if error.is_gone or is_old or not waits:
        _note(delivery, state=DeliveryState.GIVEN_UP, problem=str(error))
        logger.warning("Webhook message %s was given up.", delivery.message_id)
    else:
        again_at = now() + timedelta(seconds=waits[0])
        _note(delivery, next_try_at=again_at, problem=str(error))
        _let_wait(delivery.webhook, again_at)
    if error.is_gone:
        on = Webhook.objects.filter(pk=delivery.webhook_id, problem="")
        on.update(problem=str(error))


def _let_wait(webhook: Webhook, until: datetime) -> None:
    """Whatever else goes there: it would hold up a worker only to fail as well."""
    others = due_deliveries().filter(webhook=webhook)
    others.update(next_try_at=until)


def _note(delivery: WebhookDelivery, **fields: object) -> None:
    """Unless another worker noted an end meanwhile."""
    waiting = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING
    )
    waiting.update(n_attempts=delivery.n_attempts + 1, **fields)
    delivery.refresh_from_db()


def _words(error: FaultyUrl) -> str:
    plain = _("The address must hold no user name, no password and no “#”.")
    text = {
        Fault.UNREADABLE: _("The address cannot be read."),
        Fault.NOT_HTTP: _("The address must look like https://host/path."),
        Fault.CREDENTIALS: plain,
        Fault.FRAGMENT: plain,
        Fault.NOT_HTTPS: _(
            "The address must begin with https://. For a server of your own, the "
            "administrator can add “%(host)s” to WEBHOOK_ALLOWED_HOSTS."
        ),
        Fault.INSIDE: _(
            "%(host)s is inside a private network, where webhooks may not lead. If it "
            "is a server of your own, the administrator can add “%(host)s” to "
            "WEBHOOK_ALLOWED_HOSTS."
        ),
    }[error.fault]
    return text % {"host": error.endpoint}
