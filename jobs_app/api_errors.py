"""Errors of the REST API as JSON: what happened, why, what to do next."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from jobs_app.models import IllegalTransition
from jobs_app.providers import ProviderError, ProviderRejected, ProviderUnavailable


class Refusal(Exception):
    """A request that cannot be met, in three sentences for whoever made it."""

    def __init__(self, status: int, *, what: str, why: str, what_to_do: str) -> None:
        super().__init__(what)
        self.status = status
        self.body = {"error": {"what": what, "why": why, "what_to_do": what_to_do}}


def install(api: NinjaAPI) -> None:
    """Have `api` answer every error that a door may meet in the same shape."""

    def answers(kind: type[Exception], refuse: Any) -> None:
        def handle(request: HttpRequest, exc: Any) -> HttpResponse:
            refusal = refuse(exc)
            return api.create_response(request, refusal.body, status=refusal.status)

        api.add_exception_handler(kind, handle)

    answers(Refusal, lambda refusal: refusal)
    answers(AuthenticationError, _no_token)
    answers(PermissionDenied, _no_role)
    answers(Http404, _not_found)
    answers(ValidationError, _malformed)
    answers(DjangoValidationError, _invalid)
    answers(IllegalTransition, _too_late)
    answers(ProviderUnavailable, _provider_silent)
    answers(ProviderRejected, _provider_refuses)
    answers(HttpError, _other)


def _no_token(exc: Exception) -> Refusal:
    return Refusal(
        401,
        what=_("Not signed in."),
        why=_("The request carries no valid bearer token."),
        what_to_do=_(
            "Make a token on your account page and send it as "
            "“Authorization: Bearer TOKEN”."
        ),
    )


def _no_role(exc: Exception) -> Refusal:
    return Refusal(
        403,
        what=_("Not allowed."),
        why=str(exc),
        what_to_do=_("Ask an owner of the team for the role, or use another token."),
    )


def _not_found(exc: Exception) -> Refusal:
    return Refusal(
        404,
        what=_("Not found."),
        why=_("There is no such job, or it belongs to a team you are not in."),
        what_to_do=_("GET /api/jobs lists the jobs you can see."),
    )


def _malformed(exc: Exception) -> Refusal:
    assert isinstance(exc, ValidationError)  # noqa: S101 registered for this type
    return Refusal(
        422,
        what=_("The request is not understood."),
        why="; ".join(_place(error) + str(error.get("msg")) for error in exc.errors),
        what_to_do=_("See /api/docs for what each field may be."),
    )


def _place(error: dict[str, Any]) -> str:
    """Where in the request: `body → seed`, without the framework's own layers."""
    parts = [str(part) for part in error.get("loc", ()) if part not in {"data", "body"}]
    return f"{' → '.join(parts)}: " if parts else ""


def _invalid(exc: Exception) -> Refusal:
    assert isinstance(exc, DjangoValidationError)  # noqa: S101 registered for this type
    return Refusal(
        422,
        what=_("The job cannot be launched like this."),
        why=" ".join(exc.messages),
        what_to_do=_("Correct it and send it again; nothing was made."),
    )


def _too_late(exc: Exception) -> Refusal:
    return Refusal(
        409,
        what=_("The job's state does not allow this."),
        why=str(exc),
        what_to_do=_("GET /api/jobs/ID shows its state."),
    )


def _provider_silent(exc: Exception) -> Refusal:
    assert isinstance(exc, ProviderError)  # noqa: S101 registered for this type
    return Refusal(
        503,
        what=_("The provider could not be reached."),
        why=exc.happened,
        what_to_do=exc.advice or _("Try again later."),
    )


def _provider_refuses(exc: Exception) -> Refusal:
    assert isinstance(exc, ProviderError)  # noqa: S101 registered for this type
    return Refusal(
        502,
        what=_("The provider refused."),
        why=exc.happened,
        what_to_do=exc.advice or _("Mend what it names, then send the request again."),
    )


def _other(exc: Exception) -> Refusal:
    assert isinstance(exc, HttpError)  # noqa: S101 registered for this type
    return Refusal(
        exc.status_code,
        what=_("The request failed."),
        why=str(exc),
        what_to_do=_("See /api/docs for how to call it."),
    )
