"""Asks our inference process over its unix socket, or has another engine asked."""

import socket
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

from django.conf import settings

from tuning_server_app.inference_client import other_engine
from tuning_server_app.inference_client.answers import Answer, InferenceDown, send

PATH = "/v1/chat/completions"
CONNECT_SECONDS = 5


def ask(
    body: dict[str, Any],
    *,
    base_model: str,
    adapter: str | None,
    is_abandoned: Callable[[], bool] = lambda: False,
) -> Answer:
    """Send a chat; returns when the answer begins.

    Raises:
        ApiError: it cannot be answered; another engine is not even asked.
        InferenceDown
        Abandoned: `is_abandoned` said so before the answer began.
    """
    asked = {**body, "base": base_model, "adapter": adapter}
    if settings.TUNING_SERVER_INFERENCE_URL:
        return other_engine.ask(asked, is_abandoned)
    connection = _UnixConnection(str(settings.INFERENCE_SOCKET))
    try:
        response = send(connection, PATH, asked, {}, is_abandoned)
    except (OSError, HTTPException) as error:
        raise InferenceDown(_how_to_start()) from error
    return Answer(connection, response, _how_to_start())


def _how_to_start() -> str:
    return (
        "The inference process of this server does not answer."
        " ./run starts it with everything else; to start it alone:"
        " gunicorn tuning_server_app.inference.wsgi"
        f" --bind unix:{settings.INFERENCE_SOCKET}"
        " --worker-class gthread --workers 1 --threads 32"
    )


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
