"""How much time and how many bytes a provider may take from us."""

import time
from collections.abc import Callable, Iterator

import httpx2
from django.utils.translation import gettext as _

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
MAX_RESPONSE_BYTES = 16 * 1024 * 1024


class ResponseTooLarge(Exception):
    """The provider sent more than any of its answers should hold."""


def always() -> None:
    """May anything be sent? Yes."""


class Deadline:
    """The moment by which everything done through one client is over.

    A single read may take as long as the provider drips bytes; this bounds the sum.
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


class CappedStream(httpx2.SyncByteStream):
    """A response body that ends with an error when it grows too long."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        n_bytes = 0
        for chunk in self._stream:
            n_bytes += len(chunk)
            if n_bytes > MAX_RESPONSE_BYTES:
                raise ResponseTooLarge(
                    _("The provider's answer is too long. Check its base URL.")
                )
            yield chunk

    def close(self) -> None:
        self._stream.close()
