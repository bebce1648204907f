"""/v1/chat/completions: finds the model that is asked, and lets it answer."""

import logging
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from tuning_server_app import inference_client
from tuning_server_app.errors import ApiError, invalid, model_not_found
from tuning_server_app.inference_client import Abandoned, Answer, InferenceDown
from tuning_server_app.services import permissions, tuned_models
from tuning_server_app.services.stored_chats import ChatRecord
from tuning_server_app.views.endpoint import Endpoint, read_json

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499  # nginx's word for it; nobody reads it but a log


class _Events:
    """The stream; if it breaks, its last event says so in a form that clients raise.

    Django closes it when the client is gone, even before the first word.
    """

    def __init__(self, answer: Answer, record: ChatRecord | None) -> None:
        self._answer = answer
        self._record = record
        self.close = answer.close

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._answer.chunks():
                if self._record is not None:
                    self._record.feed(chunk)
                yield chunk
        except InferenceDown as error:
            logger.exception("The inference process died while it answered.")
            yield b"data: " + orjson.dumps(_unavailable(error).envelope) + b"\n\n"


class ChatCompletions(Endpoint):
    def post(self, request: HttpRequest) -> HttpResponseBase:
        body = _check(read_json(request))
        usable = permissions.usable_models_of(self.organization)
        weights = tuned_models.find_weights_of(body["model"], usable)
        if weights is None:
            raise model_not_found(body["model"], tuned_models.names_for_all())
        record = ChatRecord(self.organization, body) if body.get("store") else None
        try:
            answer = inference_client.ask(
                {**body, "model": weights.name},
                base_model=weights.base_model,
                adapter=weights.adapter,
                is_abandoned=lambda: _is_client_gone(request),
            )
            return _pass_on(answer, weights.name, record)
        except Abandoned:
            return HttpResponse(status=CLIENT_CLOSED_REQUEST)
        except InferenceDown as error:
            logger.exception("The inference process does not answer.")
            raise _unavailable(error) from error


def _check(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    for field, kind in (("model", str), ("messages", list)):
        if not isinstance(body.get(field), kind) or not body[field]:
            raise invalid(
                f"Missing required parameter: '{field}'.",
                param=field,
                code="missing_required_parameter",
            )
    return body


def _pass_on(answer: Answer, model: str, record: ChatRecord | None) -> HttpResponseBase:
    response = _response(answer, record)
    response["openai-model"] = model  # as OpenAI says it: what an alias stands for
    return response


def _response(answer: Answer, record: ChatRecord | None) -> HttpResponseBase:
    if not answer.is_stream:
        content = answer.read()
        if record is not None and answer.status == HTTPStatus.OK:
            record.keep(content)
        whole = HttpResponse(
            content, status=answer.status, content_type=answer.content_type
        )
        if answer.retry_after:
            whole["Retry-After"] = answer.retry_after
        return whole
    response = StreamingHttpResponse(
        _Events(answer, record), status=answer.status, content_type=answer.content_type
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the words back
    return response


def _is_client_gone(request: HttpRequest) -> bool:
    """Whether the client closed its connection; known only below gunicorn."""
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _unavailable(error: InferenceDown) -> ApiError:
    return ApiError(503, str(error), code="inference_unavailable")
