"""What can go wrong between a provider and us, by name.

Each kind makes an answer for `fake_provider.Fault`; those that act first have done what
was asked of them by the time the answer goes wrong, as the worst faults do.
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.jobs_app.fake_provider import Handler, error

Answer = Callable[[Handler], None]
# By operation, as in `faulty.fails("create_job", …)`.
OPERATIONS: dict[str, tuple[str, str]] = {
    "upload_file": ("POST", "/v1/files"),
    "list_files": ("GET", "/v1/files"),
    "show_file": ("GET", "/v1/files/[^/]+"),
    "file_content": ("GET", "/v1/files/[^/]+/content"),
    "delete_file": ("DELETE", "/v1/files/[^/]+"),
    "create_upload": ("POST", "/v1/uploads"),
    "add_part": ("POST", "/v1/uploads/[^/]+/parts"),
    "complete_upload": ("POST", "/v1/uploads/[^/]+/complete"),
    "cancel_upload": ("POST", "/v1/uploads/[^/]+/cancel"),
    "create_job": ("POST", "/v1/fine_tuning/jobs"),
    "list_jobs": ("GET", "/v1/fine_tuning/jobs"),
    "show_job": ("GET", "/v1/fine_tuning/jobs/[^/]+"),
    "cancel_job": ("POST", "/v1/fine_tuning/jobs/[^/]+/cancel"),
    "pause_job": ("POST", "/v1/fine_tuning/jobs/[^/]+/pause"),
    "resume_job": ("POST", "/v1/fine_tuning/jobs/[^/]+/resume"),
    "list_events": ("GET", "/v1/fine_tuning/jobs/[^/]+/events"),
    "list_checkpoints": ("GET", "/v1/fine_tuning/jobs/[^/]+/checkpoints"),
    "list_models": ("GET", "/v1/models"),
    "chat": ("POST", "/v1/chat/completions"),
}


@dataclass
class Hold:
    """A request that waits at the provider: `reached` when it came, until `released`.

    What a process does at that very moment is known: it waits for this answer.
    `is_answered` tells whether it gets one in the end.
    """

    is_answered: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, handler: Handler) -> None:
        self.reached.set()
        self.released.wait()
        (answer_well if self.is_answered else hang_up)(handler)


def hang_up(handler: Handler) -> None:
    """Close the connection without a word."""
    try:
        handler.connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was quicker


def answer_well(handler: Handler) -> None:
    """No fault at all."""
    handler.send(*handler.accepted)


def says(
    status: int, body: Any = None, headers: dict[str, str] | None = None
) -> Answer:
    return lambda handler: handler.send(status, body, headers or {})


def server_error(status: int = 500) -> Answer:
    return says(status, error("The server had an error", "server_error"))


def rate_limit(retry_after: str | None = None) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return says(429, error("Rate limit reached", "rate_limit_exceeded"), headers)


def forbidden(code: str = "training_not_available") -> Answer:
    return says(403, error("You may not do this", code))


def hang(seconds: float) -> Answer:
    """Longer than anybody waits, then nothing."""

    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        hang_up(handler)

    return answer


def truncated_json(handler: Handler) -> None:
    """A whole HTTP answer around half of an object."""
    text = json.dumps(handler.accepted[1])
    handler.send(200, text[: len(text) // 2].encode(), {"Content-Type": JSON})


def cut_off(handler: Handler) -> None:
    """The connection breaks in the middle of the answer."""
    text = json.dumps(handler.accepted[1]).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text[: len(text) // 2])


def web_page(handler: Handler) -> None:
    """What a proxy says instead of the provider."""
    handler.send(200, b"<html><body>Welcome</body></html>")


def odd_content_type(handler: Handler) -> None:
    """The right object, called something else."""
    body = json.dumps(handler.accepted[1]).encode()
    handler.send(200, body, {"Content-Type": "text/plain"})


JSON = "application/json"
# Fault → (does it act first?, makes the answer of the given arguments)
KINDS: dict[str, tuple[bool, Callable[..., Answer]]] = {
    "drop": (False, lambda: hang_up),
    "accept_then_drop": (True, lambda: hang_up),
    "server_error": (False, server_error),
    "accept_then_server_error": (True, server_error),
    "rate_limit": (False, rate_limit),
    "forbidden": (False, forbidden),
    "hang": (False, hang),
    "accept_then_hang": (True, hang),
    "truncated_json": (True, lambda: truncated_json),
    "cut_off": (True, lambda: cut_off),
    "web_page": (False, lambda: web_page),
    "accept_then_web_page": (True, lambda: web_page),
    "odd_content_type": (True, lambda: odd_content_type),
}
