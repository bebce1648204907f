"""Signing a message by the Standard Webhooks specification."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32


@dataclass(frozen=True)
class Message:
    """`id` is the same at every attempt; `sent_at` (Unix seconds) is the attempt's."""

    id: str
    sent_at: int
    body: bytes


def new_secret() -> str:
    raw = secrets.token_bytes(SECRET_BYTES)
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def signed_headers(message: Message, secret: str) -> dict[str, str]:
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(message.sent_at),
        "webhook-signature": signature_of(message, secret),
    }


def signature_of(message: Message, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message.id}.{message.sent_at}.".encode() + message.body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
