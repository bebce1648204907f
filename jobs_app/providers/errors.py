"""What can go wrong at a provider: two errors, each with a sentence for a person.

ProviderError
├── ProviderUnavailable   try again later; it may have got through
└── ProviderRejected      trying again changes nothing; tell the user
"""

import json
from typing import Any

import httpx2
from django.utils.translation import gettext as _
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    OpenAIError,
)

from jobs_app.addresses import RefusedAddress
from jobs_app.kinds import profile_of
from jobs_app.models import Provider
from jobs_app.providers.limits import ResponseTooLarge
from jobs_app.providers.plain import plain_text
from jobs_app.providers.sentences import (
    ALWAYS_WORTH_RETRYING,
    NEVER_WORTH_RETRYING,
    SENTENCES,
    reason_of,
)

MAX_MESSAGE_LENGTH = 500
WORTH_RETRYING = {408, 409, 425, 429}
NOT_IMPLEMENTED = 501  # the one fault of a server that waiting does not mend


class ProviderError(Exception):
    """Base of the two. Its text says what happened, why, and what to do next.

    Args:
        happened: the text without the advice, for where that is shown beside it; what
            follows it in the message is the `advice`.
        status, code: the provider's, where it gave them.
        reason: ours for it, a key of `sentences.SENTENCES`.
        request_id: the provider's name for its answer.

    `is_unclear`: what was asked may have been done all the same.
    """

    is_unclear = False

    def __init__(
        self,
        message: str,
        *,
        happened: str = "",
        reason: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.happened = happened or message
        self.advice = message.removeprefix(self.happened).strip()
        self.reason = reason
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """No clear answer. `retry_after` is how many seconds the provider asked for."""

    is_unclear = True


class ProviderRejected(ProviderError):
    """A clear no."""


# What the SDK, and our own network layer below it, may raise.
LIBRARY_ERRORS = (OpenAIError, RefusedAddress, ResponseTooLarge, json.JSONDecodeError)


# No byte of the request left this machine.
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, RefusedAddress)
# A proxy may have given up waiting, or two requests have met, at these.
UNCLEAR_STATUSES = {408, 409}


def explain(exc: Exception, provider: Provider, request_id: str = "") -> ProviderError:
    """The error to raise for what the SDK raised."""
    error = _explain(exc, provider, request_id)
    error.is_unclear = _may_have_got_through(exc)
    return error


def _may_have_got_through(exc: Exception) -> bool:
    if isinstance(exc, APIStatusError):
        return exc.status_code >= 500 or exc.status_code in UNCLEAR_STATUSES
    return not isinstance(exc, NEVER_SENT) and not isinstance(exc.__cause__, NEVER_SENT)


def _explain(exc: Exception, provider: Provider, request_id: str) -> ProviderError:
    if isinstance(exc, (RefusedAddress, ResponseTooLarge)):
        return ProviderRejected(str(exc), request_id=request_id)
    if isinstance(exc, APIStatusError):
        return _explain_status(exc, provider, request_id)
    if isinstance(exc, APITimeoutError):
        return _unavailable("no_answer", provider)
    if isinstance(exc, APIConnectionError):
        return _explain_connection(exc, provider)
    return no_sense(provider, request_id)


def no_sense(provider: Provider, request_id: str = "") -> ProviderUnavailable:
    return _unavailable("no_sense", provider, request_id=request_id)


def _unavailable(
    reason: str, provider: Provider, request_id: str = ""
) -> ProviderUnavailable:
    happened = SENTENCES[reason].happened % {"provider": provider}
    text = f"{happened} {SENTENCES[reason].advice}"
    return ProviderUnavailable(
        text, happened=happened, reason=reason, request_id=request_id
    )


def _explain_connection(exc: APIConnectionError, provider: Provider) -> ProviderError:
    if said := profile_of(provider).unreachable:
        return ProviderUnavailable(str(said) % {"url": provider.base_url})
    return ProviderUnavailable(
        _(
            "%(provider)s cannot be reached at %(url)s (%(why)s). If this lasts, check "
            "the provider's base URL in the admin."
        )
        % {
            "provider": provider,
            "url": provider.base_url,
            "why": plain_text(exc.__cause__ or exc, 100),
        }
    )


def _explain_status(
    exc: APIStatusError, provider: Provider, request_id: str
) -> ProviderError:
    status, code = exc.status_code, plain_text(exc.code, 100)
    words = _words_of(exc, provider)
    reason = reason_of(status, code, words)
    values = {
        "provider": provider,
        "status": status,
        "words": words or _("no reason given"),
    }
    happened = SENTENCES[reason].happened % values
    kind = ProviderUnavailable if _may_pass(status, reason) else ProviderRejected
    return kind(
        f"{happened} {SENTENCES[reason].advice}",
        happened=happened,
        reason=reason,
        status=status,
        code=code,
        request_id=request_id,
        retry_after=_retry_after(exc),
    )


def _may_pass(status: int, reason: str) -> bool:
    is_passing = status >= 500 and status != NOT_IMPLEMENTED
    is_passing = is_passing or status in WORTH_RETRYING
    is_passing = is_passing or reason in ALWAYS_WORTH_RETRYING
    return is_passing and reason not in NEVER_WORTH_RETRYING


def _words_of(exc: APIError, provider: Provider) -> str:
    """The provider's own message; never its page, when it answers with HTML.

    Some servers repeat the key they were given.
    """
    body: Any = exc.body
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return ""
    return plain_text(message.replace(provider.api_key, "…"), MAX_MESSAGE_LENGTH)


def _retry_after(exc: APIStatusError) -> float | None:
    try:
        seconds = float(exc.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None
