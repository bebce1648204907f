"""Asks the inference process, which holds the weights, over its unix socket."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import orjson
from django.conf import settings

PATH = "/v1/chat/completions"
# The longest silence: the base model is loaded and the whole answer written within it.
ANSWER_SECONDS = 600
LOOK_SECONDS = 1
CHUNK_BYTES = 65_536


class InferenceDown(Exception):
    """The inference process does not answer; the text says how to start it."""

    def __init__(self) -> None:
        super().__init__(
            "The inference process of this server does not answer."
            " ./run starts it with everything else; to start it alone:"
            " gunicorn tuning_server_app.inference.wsgi"
            f" --bind unix:{settings.INFERENCE_SOCKET}"
            " --worker-class gthread --workers 1 --threads 32"
        )


class Abandoned(Exception):
    """Whoever asked is gone; nobody needs the answer."""


class Answer:
    """An HTTP answer whose body is still coming. Close it: that ends the writing."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status = response.status
        self.content_type = response.headers.get("Content-Type", "application/json")
        self.retry_after = response.headers.get("Retry-After")

    @property
    def is_stream(self) -> bool:
        return self.content_type.startswith("text/event-stream")

    def read(self) -> bytes:
        """The whole body.

        Raises:
            InferenceDown: the process died while it answered.
        """
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes; the connection is closed at the end, or before it if
        nobody listens any more.

        Raises:
            InferenceDown: the process died while it answered.
        """
        try:
            while chunk := self._response.read1(CHUNK_BYTES):
                yield chunk
        except (OSError, HTTPException) as error:
            raise InferenceDown from error
        finally:
            self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def ask(
    body: dict[str, Any],
    *,
    base_model: str,
    adapter: str | None,
    is_abandoned: Callable[[], bool] = lambda: False,
) -> Answer:
    """Send a chat; returns when the answer begins.

    Raises:
        InferenceDown
        Abandoned: `is_abandoned` said so before the answer began.
    """
    connection = _UnixConnection(str(settings.INFERENCE_SOCKET))
    try:
        connection.request(
            "POST",
            PATH,
            orjson.dumps({**body, "base": base_model, "adapter": adapter}),
            {"Content-Type": "application/json"},
        )
        _wait(connection.sock, is_abandoned)
        return Answer(connection, connection.getresponse())
    except (OSError, HTTPException) as error:
        connection.close()
        raise InferenceDown from error
    except Abandoned:
        connection.close()  # the inference process sees it and stops writing
        raise


def _wait(sock: socket.socket, is_abandoned: Callable[[], bool]) -> None:
    """Return when something comes, or so late that `getresponse` shall give up."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    give_up_at = time.monotonic() + ANSWER_SECONDS
    while not poll.poll(LOOK_SECONDS * 1000) and time.monotonic() < give_up_at:
        if is_abandoned():
            raise Abandoned


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
