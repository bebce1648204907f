"""What a provider calls in to say, if it is really the provider that calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from openai import InvalidWebhookSignatureError, OpenAI

from jobs_app.providers.plain import plain_text
from jobs_app.providers.wire import MAX_ID_LENGTH, Unintelligible, fields_of, id_of

JOB_NEWS = "fine_tuning.job."


class NotTheProvider(Exception):
    """The call is not signed with the secret, is too old, or makes no sense."""


@dataclass(frozen=True)
class JobNews:
    """Something happened to a job. What it was, a poll tells."""

    webhook_id: str
    job_id: str


def read_webhook(
    secret: str, body: bytes, headers: Mapping[str, str]
) -> JobNews | None:
    """The news of a signed call; None if it is about something else.

    Raises:
        NotTheProvider: nothing in it may be believed.
    """
    try:
        event = fields_of(_sdk().webhooks.unwrap(body, headers, secret=secret))
        if not plain_text(event.get("type"), 100).startswith(JOB_NEWS):
            return None
        webhook_id = plain_text(headers["webhook-id"], MAX_ID_LENGTH)
        return JobNews(webhook_id, id_of(event.get("data")))
    except (
        InvalidWebhookSignatureError,
        Unintelligible,
        ValueError,  # a header is missing; the body is no JSON
        TypeError,  # a signature of other letters than ASCII
        RecursionError,
    ) as exc:
        raise NotTheProvider from exc


@cache
def _sdk() -> OpenAI:
    """For its signatures only: it calls nobody, so it needs no key."""
    return OpenAI(api_key="unused", base_url="https://nowhere.invalid")
