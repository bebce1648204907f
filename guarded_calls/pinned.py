"""Connections that go to the very address that was judged, and end by a deadline.

No redirects, no proxies, no settings from the environment; TLS still verifies the name.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from functools import cache

import httpcore2
import httpx2

from guarded_calls.addresses import Endpoint, Judge, resolve

CONNECT_SECONDS = 5.0


def always() -> None:
    """May anything be sent? Yes."""


class Deadline:
    """The moment by which everything done through one client is over.

    A single read may take as long as the other side drips bytes; this bounds the sum.
    `before_sending` is asked before any bytes leave, and may raise to keep them here.
    """

    def __init__(
        self, seconds: float, before_sending: Callable[[], None] = always
    ) -> None:
        self._ends_at = time.monotonic() + seconds
        self.before_sending = before_sending

    def left(self, at_most: float | None = None) -> float:
        """Seconds left, 0 when it is over."""
        left = max(0.0, self._ends_at - time.monotonic())
        return left if at_most is None else min(left, at_most)


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
    """Connects to the very address that was judged, within the deadline.

    Without a judge the endpoint is trusted, and may be anywhere.
    """

    def __init__(
        self, endpoint: Endpoint, *, judge: Judge | None, deadline: Deadline
    ) -> None:
        self._endpoint = endpoint
        self._judge = judge
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
            addresses = resolve(self._endpoint, self._judge)
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
    """httpx2's transport over a pool of our own."""

    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        # The parent's constructor takes no network backend, so it is not called.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls(), network_backend=backend
        )


def post(
    url: str,
    endpoint: Endpoint,
    *,
    judge: Judge | None,
    headers: dict[str, str],
    body: bytes,
    seconds: float,
) -> int:
    """Send the body; the answer's own is never read, so it may be of any size.

    Returns:
        the answer's status.

    Raises:
        httpx2.HTTPError, OSError: it cannot be reached, or is too slow.
        Whatever the judge raises.
    """
    backend = PinnedBackend(endpoint, judge=judge, deadline=Deadline(seconds))
    client = httpx2.Client(
        transport=PinnedTransport(backend),
        timeout=httpx2.Timeout(seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )
    with client, client.stream("POST", url, content=body, headers=headers) as got:
        return got.status_code


@cache
def _tls() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than a call."""
    return ssl.create_default_context()
