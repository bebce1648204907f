"""The HTTP client under the openai SDK: it goes only where it is allowed to go.

Every connection resolves the host itself, judges the numeric addresses and connects
to one of those it judged; TLS still verifies the name. No redirects, no proxies, no
settings from the environment, and only the headers named here leave the machine.
"""

from collections import Counter
from dataclasses import dataclass, field

import httpx2
from django.utils.translation import gettext as _

from guarded_calls.addresses import Endpoint
from guarded_calls.pinned import (
    CONNECT_SECONDS,
    Deadline,
    PinnedBackend,
    PinnedTransport,
)
from jobs_app.addresses import check_address
from jobs_app.models import RequestResult
from jobs_app.providers.limits import READ_SECONDS, CappedStream, ResponseTooLarge
from jobs_app.providers.plain import plain_text

CLIENT_ERROR, TOO_MANY_REQUESTS, SERVER_ERROR = 400, 429, 500
SENT_HEADERS = {
    "accept",
    "connection",
    "content-length",
    "content-type",
    "idempotency-key",
    "transfer-encoding",
    "user-agent",
}
# The first of them that an answer has: OpenAI's, Azure's, LiteLLM's, anybody's.
REQUEST_ID_HEADERS = (
    "x-request-id",
    "apim-request-id",
    "x-litellm-call-id",
    "x-ms-request-id",
    "request-id",
    "x-amzn-requestid",
)
MAX_REQUEST_ID_LENGTH = 200


class CappedTransport(PinnedTransport):
    """Answers of a bounded size."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()  # its true size cannot be known in advance
            raise ResponseTooLarge(_("The provider sent compressed data unasked."))
        response.stream = CappedStream(response.stream)  # type: ignore[arg-type]
        return response


@dataclass
class Answers:
    """What one client's requests met with."""

    # The provider's own name for its last answer, which its support asks for.
    request_id: str = ""
    tally: Counter[str] = field(default_factory=Counter)  # of RequestResult


def request_id_of(headers: httpx2.Headers) -> str:
    found = (headers[name] for name in REQUEST_ID_HEADERS if headers.get(name))
    return plain_text(next(found, ""), MAX_REQUEST_ID_LENGTH)


def result_of(status: int) -> RequestResult:
    if status == TOO_MANY_REQUESTS:
        return RequestResult.LIMITED
    if status >= SERVER_ERROR:
        return RequestResult.BROKEN
    return RequestResult.REFUSED if status >= CLIENT_ERROR else RequestResult.OK


def http_client(
    endpoint: Endpoint,
    *,
    api_key: str,
    is_trusted: bool,
    deadline: Deadline,
    answers: Answers,
    key_header: str = "authorization",
) -> httpx2.Client:
    """A client for one provider; it sends this key and nothing else of ours."""

    def send_only_what_is_ours(request: httpx2.Request) -> None:
        # The SDK adds OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS from
        # the environment, which would tell one provider what is meant for another.
        for name in list(request.headers):
            if name not in SENT_HEADERS and not name.startswith("x-stainless-"):
                del request.headers[name]
        request.headers["host"] = request.url.netloc.decode()
        is_bearer = key_header == "authorization"
        request.headers[key_header] = f"Bearer {api_key}" if is_bearer else api_key
        request.headers["accept-encoding"] = "identity"
        answers.request_id = ""

    def note_answer(response: httpx2.Response) -> None:
        answers.request_id = request_id_of(response.headers)
        answers.tally[result_of(response.status_code)] += 1

    judge = None if is_trusted else check_address
    backend = PinnedBackend(endpoint, judge=judge, deadline=deadline)
    return httpx2.Client(
        transport=CappedTransport(backend),
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        event_hooks={
            "request": [send_only_what_is_ours],
            "response": [note_answer],
        },
    )
