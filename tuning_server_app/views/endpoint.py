"""What every path of the API has in common: the key, the envelope, the request id."""

import logging
from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tuning_server_app import ids, services
from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.json_text import holds_nul
from tuning_server_app.models import ApiKey, Organization

logger = logging.getLogger(__name__)

SCHEME = "Bearer "
HOW_TO_MAKE_A_KEY = (
    "Make one on the server with: ./manage.py tuning_key create NAME"
    " and send it as the header 'Authorization: Bearer KEY'."
)


# No cookie is read here, so no other site can act for a signed-in person.
@method_decorator(csrf_exempt, name="dispatch")
class Endpoint(View):
    """One path. Its methods answer with a dict, sent as JSON, or with a response.

    They find the caller in `self.api_key` and `self.organization`, and refuse by
    raising ApiError.
    """

    http_method_names = ["get", "post", "delete"]
    needs_key = True
    api_key: ApiKey
    organization: Organization

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        request_id = ids.request_id()
        response = self._answer(request, **kwargs)
        if response.status_code >= 500:
            logger.error(
                "%s %s: %s, %s",
                request.method,
                request.path,
                response.status_code,
                request_id,
            )
        if response.status_code == 405:
            known = [name for name in self.http_method_names if hasattr(self, name)]
            response["Allow"] = ", ".join(known).upper()
        response["x-request-id"] = request_id
        return response

    def _answer(self, request: HttpRequest, **ids_in_path: str) -> HttpResponseBase:
        try:
            if self.needs_key:
                self.api_key = _authenticate(request)
                self.organization = self.api_key.organization
            _refuse_nul(request)
            answer = self._handler(request)(request, **ids_in_path)
        except ApiError as error:
            return error_response(error)
        except RequestDataTooBig:
            return error_response(ApiError(413, "The body is too large for this path."))
        except SuspiciousOperation:  # such as more fields than the settings allow
            return error_response(invalid("The request cannot be read."))
        except UnreadablePostError:
            return error_response(invalid("The body ended before it was complete."))
        except Exception:  # whatever it was, an API's client must get JSON
            logger.exception("%s %s", request.method, request.path)
            return error_response(
                ApiError(
                    500,
                    "The server had an error while processing your request. Its log"
                    " has the details under the x-request-id of this answer.",
                )
            )
        return json_response(answer) if isinstance(answer, dict) else answer

    def _handler(self, request: HttpRequest) -> Callable[..., Any]:
        method = (request.method or "").lower()
        handler = getattr(self, method, None)
        if method not in self.http_method_names or handler is None:
            raise ApiError(
                405,
                f"Not allowed: {request.method} on {request.path}.",
                code="method_not_allowed",
            )
        return handler


class UnknownPath(Endpoint):
    """Every path that the API does not have."""

    def _handler(self, request: HttpRequest) -> Callable[..., Any]:
        raise ApiError(
            404,
            f"Unknown request URL: {request.method} {request.path}.",
            code="unknown_url",
        )


def read_json(request: HttpRequest) -> Any:
    """The body, parsed.

    Raises:
        ApiError: it is not JSON, holds a NUL, which no database text can, or is nested
            so deeply that it can be read, but not be answered or passed on.
    """
    try:
        if holds_nul(request.body):
            raise ValueError("it holds the character NUL")
        body = orjson.loads(request.body)
    except ValueError as error:
        raise invalid(f"The body is not JSON that can be read: {error}.") from error
    try:
        orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise invalid("The body is nested too deeply.") from error
    return body


def is_retry(request: HttpRequest) -> bool:
    """Whether the client says that it sends this request again."""
    return request.headers.get("X-Stainless-Retry-Count", "0") != "0"


def required(query: QueryDict, name: str) -> str:
    """The value of a form field.

    Raises:
        ApiError: it is missing.
    """
    value = query.get(name)
    if not value:
        raise invalid(
            f"Missing required parameter: '{name}'.",
            param=name,
            code="missing_required_parameter",
        )
    return value


def json_response(data: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(data), status=status, content_type="application/json"
    )


def error_response(error: ApiError) -> HttpResponse:
    response = json_response(error.envelope, status=error.status)
    if error.should_retry is not None:
        response["x-should-retry"] = str(error.should_retry).lower()
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _authenticate(request: HttpRequest) -> ApiKey:
    header = request.headers.get("Authorization", "")
    if not header.startswith(SCHEME):
        raise _unauthorized("You didn't provide an API key.")
    key = services.find_key(header.removeprefix(SCHEME).strip())
    if key is None:
        raise _unauthorized("Incorrect API key provided, or it was revoked.")
    return key


def _unauthorized(what: str) -> ApiError:
    return ApiError(401, f"{what} {HOW_TO_MAKE_A_KEY}", code="invalid_api_key")


def _refuse_nul(request: HttpRequest) -> None:
    query = [text for pair in request.GET.items() for text in pair]
    if any("\0" in str(text) for text in [request.path, *query]):
        raise invalid("The address holds the character NUL.")
