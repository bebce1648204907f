"""Sending one signed message to a webhook, by the Standard Webhooks specification.

Over the network layer that providers have, too: it connects to the numeric address it
judged, follows no redirect, and ends at its deadline. The answer's body is never read.
"""

import httpx2
from django.utils.translation import gettext as _

from guarded_calls.pinned import post
from guarded_calls.signing import Message, signed_headers
from jobs_app.addresses import RefusedAddress
from jobs_app.webhook_addresses import (
    check_webhook_url,
    is_allowed_by_settings,
    refuse_inside,
)

SEND_SECONDS = 15.0
GONE = 410


class NotDelivered(Exception):
    """It did not get through; the text says why. `is_gone`: nobody wants it now."""

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_gone = is_gone


def send(url: str, secret: str, message: Message) -> None:
    """Raises NotDelivered unless the receiver answers with 2xx."""
    try:
        status = _post(url, secret, message)
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


def _post(url: str, secret: str, message: Message) -> int:
    endpoint = check_webhook_url(url)  # again: what is allowed may have changed
    headers = {
        "content-type": "application/json",
        "user-agent": "finetune-site",
        "accept-encoding": "identity",
        **signed_headers(message, secret),
    }
    return post(
        url,
        endpoint,
        judge=None if is_allowed_by_settings(endpoint) else refuse_inside,
        headers=headers,
        body=message.body,
        seconds=SEND_SECONDS,
    )
