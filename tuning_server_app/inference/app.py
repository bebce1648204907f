"""The engine over HTTP: a WSGI application for gunicorn's gthread worker.

For the web process alone, on a unix socket: who may ask which model is decided there.
"""

import logging
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson

from tuning_server_app.base_models import BaseModelMissing
from tuning_server_app.errors import BUSY, ApiError, invalid
from tuning_server_app.inference import wire
from tuning_server_app.inference.chat import Chat
from tuning_server_app.inference.chat_request import (
    ChatRequest,
    parse_chat_request,
    wants_stream,
    wants_usage_in_stream,
)
from tuning_server_app.inference.engine import Busy, Engine

logger = logging.getLogger(__name__)

WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
Body = dict[str, Any]

CHAT_PATHS = {"/chat/completions", "/v1/chat/completions"}
BROKEN = ApiError(
    500, "The model cannot answer. The log of the inference process has the details."
)
MAX_BODY_BYTES = 16 * 1024 * 1024


def make_app(engine: Engine) -> WsgiApp:
    """`POST /v1/chat/completions` with two more fields, `base` and `adapter`, and
    `GET /health`."""

    def app(
        environment: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            return _respond(engine, environment, start_response)
        except ApiError as error:
            return _send_error(start_response, error)
        except BaseModelMissing as missing:
            return _send_error(start_response, ApiError(503, str(missing)))
        except Busy:
            return _send_error(start_response, BUSY)
        except Exception:  # weights that cannot be loaded, say: a client must get JSON
            logger.exception("A chat could not be answered.")
            return _send_error(start_response, BROKEN)

    return app


def _respond(
    engine: Engine, environment: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    route = environment["REQUEST_METHOD"], environment["PATH_INFO"]
    if route == ("GET", "/health"):
        return _send_json(start_response, "200 OK", {"status": "ok"})
    if route[0] != "POST" or route[1] not in CHAT_PATHS:
        raise ApiError(404, f"There is no {' '.join(route)} here.")
    body = _read_body(environment)
    request = parse_chat_request(body)
    is_stream, has_usage = wants_stream(body), wants_usage_in_stream(body)
    chat = engine.chat(request, is_abandoned=lambda: _is_client_gone(environment))
    style = _style(engine, request)
    envelope = wire.Envelope(_model_name(body))
    if not is_stream:
        return _send_json(start_response, "200 OK", _completion(chat, envelope, style))
    headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")]
    start_response("200 OK", headers)
    choices = [wire.StreamedChoice(style) for _ in range(request.n)]
    return _Stream(chat, _events(chat, envelope, choices, has_usage=has_usage))


def _style(engine: Engine, request: ChatRequest) -> wire.Style:
    names = (tool["function"]["name"] for tool in request.tools or ())
    return wire.Style(
        tools=frozenset(names),
        one_call=request.one_call,
        bytes_of=lambda token: engine.token_bytes(request.base, token),
    )


def _completion(chat: Chat, envelope: wire.Envelope, style: wire.Style) -> wire.Wire:
    choices: dict[int, wire.WholeChoice] = defaultdict(lambda: wire.WholeChoice(style))
    told: dict[int, wire.Wire] = {}
    n_tokens = 0
    for delta in chat:
        choices[delta.index].add(delta)
        n_tokens += delta.completion_tokens
        if delta.finish_reason:
            told[delta.index] = choices[delta.index].told(
                delta.index, delta.finish_reason
            )
    in_order = [told[index] for index in sorted(told)]
    return envelope.completion(in_order, wire.usage(chat.prompt_tokens, n_tokens))


def _events(
    chat: Chat,
    envelope: wire.Envelope,
    choices: list[wire.StreamedChoice],
    *,
    has_usage: bool,
) -> Iterator[bytes]:
    n_tokens = 0
    try:
        for index, choice in enumerate(choices):
            yield wire.event(envelope.chunk([choice.opening(index)]))
        for delta in chat:
            n_tokens += delta.completion_tokens
            for each in choices[delta.index].told(delta):
                yield wire.event(envelope.chunk([each]))
    except ApiError as error:
        # Too late for a status; clients raise what they find under this key.
        yield wire.event(error.envelope)
        return
    if has_usage:
        usage = wire.usage(chat.prompt_tokens, n_tokens)
        yield wire.event(envelope.chunk([], usage))
    yield b"data: [DONE]\n\n"


class _Stream:
    """The response body; the server closes it, also when the client went away."""

    def __init__(self, chat: Chat, events: Iterator[bytes]) -> None:
        self._chat = chat
        self._events = events

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        self._chat.close()


def _model_name(body: Body) -> str:
    return str(body.get("model") or body["base"])


def _read_body(environment: WSGIEnvironment) -> Body:
    length = int(environment.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY_BYTES:
        raise ApiError(413, f"The request is longer than {MAX_BODY_BYTES} bytes.")
    try:
        body = orjson.loads(environment["wsgi.input"].read(length))
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request is not valid JSON: {error}.") from error
    if not isinstance(body, dict):
        raise invalid("The request must be a JSON object.")
    return body


def _is_client_gone(environment: WSGIEnvironment) -> bool:
    """Whether the other end of gunicorn's socket is closed.

    Without this an answer that is not streamed would be written to its end for nobody.
    """
    connection: socket.socket | None = environment.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _send_error(start_response: StartResponse, error: ApiError) -> Iterable[bytes]:
    seconds = error.retry_after
    headers = [("Retry-After", str(seconds))] if seconds is not None else []
    return _send_json(
        start_response, f"{error.status} Refused", error.envelope, headers
    )


def _send_json(
    start_response: StartResponse,
    status: str,
    data: Body,
    headers: list[tuple[str, str]] | None = None,
) -> Iterable[bytes]:
    payload = orjson.dumps(data)
    length = ("Content-Length", str(len(payload)))
    content = ("Content-Type", "application/json")
    start_response(status, [content, length, *(headers or [])])
    return [payload]
