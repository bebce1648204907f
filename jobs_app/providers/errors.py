"""What can go wrong at a provider: two errors, each with a sentence for a person.

ProviderError
├── ProviderUnavailable   try again later; it may have got through
└── ProviderRejected      trying again changes nothing; tell the user
"""

import json
from typing import Any

from django.utils.translation import gettext as _
from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    OpenAIError,
)

from jobs_app.addresses import RefusedAddress
from jobs_app.models import Provider, ProviderKind
from jobs_app.providers.limits import ResponseTooLarge
from jobs_app.providers.plain import plain_text

MAX_MESSAGE_LENGTH = 500
MAX_REQUEST_ID_LENGTH = 200
WORTH_RETRYING = {408, 409, 425, 429}
# The account has no money left: waiting does not help.
NEVER_WORTH_RETRYING = {"insufficient_quota", "billing_hard_limit_reached"}


class ProviderError(Exception):
    """Base of the two; `status`, `code` and `request_id` are the provider's, where it
    gave them."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.request_id = request_id


class ProviderUnavailable(ProviderError):
    """No clear answer. `retry_after` is how many seconds the provider asked for."""


class ProviderRejected(ProviderError):
    """A clear no."""


# What the SDK, and our own network layer below it, may raise.
LIBRARY_ERRORS = (OpenAIError, RefusedAddress, ResponseTooLarge, json.JSONDecodeError)


def explain(exc: Exception, provider: Provider) -> ProviderError:
    """The error to raise for what the SDK raised."""
    if isinstance(exc, (RefusedAddress, ResponseTooLarge)):
        return ProviderRejected(str(exc))
    if isinstance(exc, APIStatusError) and not isinstance(
        exc, APIResponseValidationError
    ):
        return _explain_status(exc, provider)
    if isinstance(exc, APITimeoutError):
        return ProviderUnavailable(
            _("%(provider)s did not answer in time.") % {"provider": provider}
        )
    if isinstance(exc, APIConnectionError):
        return _explain_connection(exc, provider)
    return ProviderUnavailable(
        _("%(provider)s gave an answer that makes no sense.") % {"provider": provider}
    )


def _explain_connection(exc: APIConnectionError, provider: Provider) -> ProviderError:
    if provider.kind == ProviderKind.BUILT_IN:
        return ProviderUnavailable(
            _("The tuning server is not running at %(url)s. Start it with: ./run")
            % {"url": provider.base_url}
        )
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


def _explain_status(exc: APIStatusError, provider: Provider) -> ProviderError:
    status, code = exc.status_code, plain_text(exc.code, 100)
    values = {
        "provider": provider,
        "status": status,
        "words": _words_of(exc, provider) or _("no reason given"),
    }
    if status >= 500 or status in WORTH_RETRYING and code not in NEVER_WORTH_RETRYING:
        return ProviderUnavailable(
            _("%(provider)s could not answer (%(status)s: %(words)s).") % values,
            status=status,
            code=code,
            retry_after=_retry_after(exc),
            request_id=_request_id(exc),
        )
    return ProviderRejected(
        _rejection(status, code) % values,
        status=status,
        code=code,
        request_id=_request_id(exc),
    )


def _rejection(status: int, code: str) -> str:
    if code == "training_not_available":
        return _(
            "%(provider)s no longer lets this organisation train models (%(words)s). "
            "Choose another provider for the job, such as the built-in tuning server."
        )
    if code in NEVER_WORTH_RETRYING:
        return _(
            "%(provider)s refuses because the account's quota is used up (%(words)s). "
            "Raise it in the provider's billing settings, then launch again."
        )
    if status == 401:
        return _(
            "%(provider)s does not accept the API key (%(words)s). An owner of the "
            "team can enter another one in the admin under Providers."
        )
    if status == 403:
        return _(
            "%(provider)s does not allow this (%(words)s). Check what the key may do, "
            "or choose another provider."
        )
    if 300 <= status < 400:
        return _(
            "%(provider)s answers with a redirect, which is not followed, so that the "
            "key goes nowhere else. Correct the provider's base URL in the admin."
        )
    return _("%(provider)s refuses (%(status)s: %(words)s).")


def _words_of(exc: APIError, provider: Provider) -> str:
    """The provider's own message; never its page, when it answers with HTML.

    Some servers repeat the key they were given.
    """
    body: Any = exc.body
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return ""
    return plain_text(message.replace(provider.api_key, "…"), MAX_MESSAGE_LENGTH)


def _request_id(exc: APIStatusError) -> str:
    return plain_text(exc.request_id, MAX_REQUEST_ID_LENGTH)


def _retry_after(exc: APIStatusError) -> float | None:
    try:
        seconds = float(exc.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None
