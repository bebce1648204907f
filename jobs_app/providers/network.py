"""The HTTP client under the openai SDK: it goes only where it is allowed to go.

Every connection resolves the host itself, judges the numeric addresses and connects
to one of those it judged; TLS still verifies the name. No redirects, no proxies, no
settings from the environment, and only the headers named here leave the machine.
"""

import ssl
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import httpcore2
import httpx2
from django.utils.translation import gettext as _

from jobs_app.addresses import Endpoint, resolve
from jobs_app.models import RequestResult
from jobs_app.providers.limits import (
    CONNECT_SECONDS,
    READ_SECONDS,
    CappedStream,
    Deadline,
    ResponseTooLarge,
)
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


@cache
def _tls() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than a poll."""
    return ssl.create_default_context()


class TimedStream(httpcore2.NetworkStream):
    """A connection on which nothing takes longer than what is left of the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not (left := self._deadline.left(timeout)):
            raise httpcore2.ReadTimeout
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not (left := self._deadline.left(timeout)):
            raise httpcore2.WriteTimeout
        self._deadline.before_sending()
        self._stream.write(buffer, left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        if not (left := self._deadline.left(timeout)):
            raise httpcore2.ConnectTimeout
        inner = self._stream.start_tls(ssl_context, server_hostname, left)
        return TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class PinnedBackend(httpcore2.SyncBackend):
    """Connects to the very address that was judged, within the deadline."""

    def __init__(
        self, endpoint: Endpoint, *, is_trusted: bool, deadline: Deadline
    ) -> None:
        self._endpoint = endpoint
        self._is_trusted = is_trusted
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = resolve(self._endpoint, is_trusted=self._is_trusted)
        except OSError as exc:
            raise httpcore2.ConnectError(str(exc)) from exc
        error: Exception = httpcore2.ConnectTimeout()
        for address in addresses:
            if not (left := self._deadline.left(timeout)):
                raise httpcore2.ConnectTimeout
            try:
                stream = super().connect_tcp(
                    address, self._endpoint.port, left, None, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
                error = exc
            else:
                return TimedStream(stream, self._deadline)
        raise error


class PinnedTransport(httpx2.HTTPTransport):
    """httpx2's transport over a pool of our own, with capped answers."""

    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        # The parent's constructor takes no network backend, so it is not called.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls(), network_backend=backend
        )

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

    backend = PinnedBackend(endpoint, is_trusted=is_trusted, deadline=deadline)
    return httpx2.Client(
        transport=PinnedTransport(backend),
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        event_hooks={
            "request": [send_only_what_is_ours],
            "response": [note_answer],
        },
    )
