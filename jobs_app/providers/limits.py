"""How many seconds and bytes one answer of a provider may take."""

from collections.abc import Iterator

import httpx2
from django.utils.translation import gettext as _

READ_SECONDS = 60.0
MAX_RESPONSE_BYTES = 16 * 1024 * 1024


class ResponseTooLarge(Exception):
    """The provider sent more than any of its answers should hold."""


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
