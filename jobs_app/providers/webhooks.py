"""Sending one signed message to a webhook, by the Standard Webhooks specification.

The same network layer as for providers: it connects to the numeric address it judged,
follows no redirect, and ends at its deadline. The answer's body is never read.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import httpx2
from django.utils.translation import gettext as _

from jobs_app.addresses import RefusedAddress
from jobs_app.providers.limits import CONNECT_SECONDS, Deadline
from jobs_app.providers.network import PinnedBackend, PinnedTransport
from jobs_app.webhook_addresses import (
    check_webhook_url,
    inside_words,
    is_allowed_by_settings,
)

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32
SEND_SECONDS = 15.0
GONE = 410


class NotDelivered(Exception):
    """It did not get through; the text says why. `is_gone`: nobody wants it now."""

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_gone = is_gone


class UnreadTransport(PinnedTransport):
    """The answer's body is not read, so that it may be of any size and encoding."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.HTTPTransport.handle_request(self, request)


@dataclass(frozen=True)
class Message:
    """`id` is the same at every attempt; `sent_at` (Unix seconds) is the attempt's."""

    id: str
    sent_at: int
    body: bytes


def new_secret() -> str:
    raw = secrets.token_bytes(SECRET_BYTES)
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def signature_of(message: Message, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message.id}.{message.sent_at}.".encode() + message.body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def send(url: str, secret: str, message: Message) -> None:
    """Raises NotDelivered unless the receiver answers with 2xx."""
    try:
        status = _post(url, _headers(secret, message), message.body)
    except RefusedAddress as exc:
        raise NotDelivered(str(exc)) from exc
    except (httpx2.HTTPError, OSError) as exc:
        raise NotDelivered(
            _("The receiver cannot be reached, or did not answer in time.")
        ) from exc
    if not 200 <= status < 300:
        raise NotDelivered(
            _("The receiver answered with the status %(status)d.") % {"status": status},
            is_gone=status == GONE,
        )


def _headers(secret: str, message: Message) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "user-agent": "finetune-site",
        "accept-encoding": "identity",
        "webhook-id": message.id,
        "webhook-timestamp": str(message.sent_at),
        "webhook-signature": signature_of(message, secret),
    }


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    endpoint = check_webhook_url(url)  # again: what is allowed may have changed
    is_trusted = is_allowed_by_settings(endpoint)
    deadline = Deadline(SEND_SECONDS)
    backend = PinnedBackend(endpoint, is_trusted=is_trusted, deadline=deadline)
    client = httpx2.Client(
        transport=UnreadTransport(backend),
        timeout=httpx2.Timeout(SEND_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )
    try:
        with client, client.stream("POST", url, content=body, headers=headers) as got:
            return got.status_code
    except RefusedAddress as exc:  # the name leads inside: in a webhook's words
        raise RefusedAddress(inside_words(endpoint)) from exc
