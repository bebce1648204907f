"""What asking our own inference process and asking another engine have in common."""

import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import orjson

# The longest silence: the base model is loaded and the whole answer written within it.
ANSWER_SECONDS = 600
LOOK_SECONDS = 1
CHUNK_BYTES = 65_536


class InferenceDown(Exception):
    """What should answer does not; the text says what to do about it."""


class Abandoned(Exception):
    """Whoever asked is gone; nobody needs the answer."""


class Answer:
    """An HTTP answer whose body is still coming. Close it: that ends the writing."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, hint: str
    ) -> None:
        self._connection = connection
        self._response = response
        self._hint = hint  # what to do if it breaks off
        self.status = response.status
        self.content_type = response.headers.get("Content-Type", "application/json")
        self.retry_after = response.headers.get("Retry-After")

    @property
    def is_stream(self) -> bool:
        return self.content_type.startswith("text/event-stream")

    def read(self) -> bytes:
        """The whole body.

        Raises:
            InferenceDown: whatever answered died.
        """
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes; the connection is closed at the end, or before it if
        nobody listens any more.

        Raises:
            InferenceDown: whatever answered died.
        """
        try:
            while chunk := self._response.read1(CHUNK_BYTES):
                yield chunk
        except (OSError, HTTPException) as error:
            raise InferenceDown(self._hint) from error
        finally:
            self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def send(
    connection: HTTPConnection,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str],
    is_abandoned: Callable[[], bool],
) -> HTTPResponse:
    """POST the body; returns when the answer begins.

    Raises:
        OSError, HTTPException: nothing answers.
        Abandoned: `is_abandoned` said so before the answer began.
    """
    try:
        payload = orjson.dumps(body)
        connection.connect()
        connection.sock.settimeout(ANSWER_SECONDS)
        all_headers = {"Content-Type": "application/json", **headers}
        connection.request("POST", path, payload, all_headers)
        _wait(connection.sock, is_abandoned)
        return connection.getresponse()
    except BaseException:  # a worker that is stopped, too: the other end sees it
        connection.close()  # and stops writing
        raise


def _wait(sock: socket.socket, is_abandoned: Callable[[], bool]) -> None:
    """Return when something comes, or so late that `getresponse` shall give up."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    give_up_at = time.monotonic() + ANSWER_SECONDS
    while not poll.poll(LOOK_SECONDS * 1000) and time.monotonic() < give_up_at:
        if is_abandoned():
            raise Abandoned
