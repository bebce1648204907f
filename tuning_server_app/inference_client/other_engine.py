"""Hands chats to another engine with OpenAI's API, such as vLLM.

The engine serves each base model by the name it has here. Adapters are loaded when they
are first asked for, by vLLM's `/v1/load_lora_adapter`; it reads them from the folder
where the trainer wrote them, by the same path.
"""

import logging
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from open_chats.plain_messages import UnusableMessage, plain_messages
from tuning_server_app.errors import BUSY, ApiError, invalid
from tuning_server_app.inference.chat_request import HONOURED, parse_chat_request
from tuning_server_app.inference_client.answers import Answer, InferenceDown, send
from tuning_server_app.services.tuned_models import runs_folder

logger = logging.getLogger(__name__)

CHAT = "/chat/completions"
LOAD = "/load_lora_adapter"
CONNECT_SECONDS = 5
MAX_ERROR_BYTES = 65_536
EVENT = b"data: "
DOWN = (
    "The inference engine of this server does not answer. Start it, or correct"
    " TUNING_SERVER_INFERENCE_URL; the log of the web process says more."
)

Body = dict[str, Any]


def ask(body: Body, is_abandoned: Callable[[], bool]) -> Answer:
    """Let the engine answer; returns when it begins.

    Args:
        body: OpenAI's, with `base` and `adapter` as our own inference process has them.

    Raises:
        ApiError: the question, or the engine, is not as it must be.
        InferenceDown
        Abandoned
    """
    question = _question(body)
    try:
        connection, response = _post(CHAT, question, is_abandoned)
        if response.status == 404 and body["adapter"]:
            connection.close()
            _load(body["adapter"], is_abandoned)
            connection, response = _post(CHAT, question, is_abandoned)
    except (OSError, HTTPException) as error:
        raise InferenceDown(DOWN) from error
    if response.status != 200:
        raise _refusal(connection, response, body)
    return _Renamed(connection, response, str(body["model"]))


def _question(body: Body) -> Body:
    """What the engine is asked: only what our own inference process would take.

    Engines know fields of their own, such as a chat template to be run; and they fetch
    images from wherever a message says.
    """
    request = parse_chat_request(body)
    try:
        plain_messages(request.messages)
    except UnusableMessage as error:
        raise invalid(str(error), param="messages") from error
    known = {name: body[name] for name in HONOURED & body.keys()}
    del known["base"], known["adapter"]
    name = _adapter_name(request.adapter) if request.adapter else request.base
    return {**known, "model": name, "temperature": request.temperature}


def _adapter_name(adapter: str) -> str:
    return adapter.replace("/", "--")


def _load(adapter: str, is_abandoned: Callable[[], bool]) -> None:
    """Have the adapter loaded. That another process was quicker is no error."""
    path = runs_folder() / adapter
    asked = {"lora_name": _adapter_name(adapter), "lora_path": str(path.resolve())}
    connection, response = _post(LOAD, asked, is_abandoned)
    if response.status != 200:
        logger.warning(
            "The inference engine answered %s to loading %s: %s",
            response.status,
            path,
            _text(response)[:500],
        )
    connection.close()


def _post(
    path: str, body: Body, is_abandoned: Callable[[], bool]
) -> tuple[HTTPConnection, HTTPResponse]:
    address = urlsplit(settings.TUNING_SERVER_INFERENCE_URL)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(str(address.hostname), address.port, timeout=CONNECT_SECONDS)
    key = settings.TUNING_SERVER_INFERENCE_KEY
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    root = address.path.rstrip("/").removesuffix("/v1")
    return connection, send(connection, f"{root}/v1{path}", body, headers, is_abandoned)


class _Renamed(Answer):
    """The engine's answer under the name of the model that was asked for."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, model: str
    ) -> None:
        super().__init__(connection, response, DOWN)
        self._model = model

    def chunks(self) -> Iterator[bytes]:
        if not self.is_stream:
            yield self._renamed(b"".join(super().chunks()), may_be_other=False)
            return
        for line in _lines(super().chunks()):
            is_object = line.startswith(EVENT + b"{")
            event = line.removeprefix(EVENT)
            yield EVENT + self._renamed(event) + b"\n" if is_object else line + b"\n"

    def _renamed(self, raw: bytes, *, may_be_other: bool = True) -> bytes:
        """With `may_be_other`, what holds no choices passes: an error in a stream."""
        try:
            answer = orjson.loads(raw)
            if may_be_other and "choices" not in answer:
                return raw
            for choice in answer["choices"]:
                if "message" in choice:
                    choice["message"] = _as_openai_writes_it(choice["message"])
            if answer.get("usage"):
                answer["usage"] = _without_nulls(answer["usage"])
            return orjson.dumps({**answer, "model": self._model})
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise InferenceDown(DOWN) from error


def _as_openai_writes_it(message: Body) -> Body:
    """The schema has nulls for `content` and `refusal` only; vLLM has more."""
    return {"content": None, "refusal": None, **_without_nulls(message)}


def _without_nulls(of: Body) -> Body:
    return {name: value for name, value in of.items() if value is not None}


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _refusal(
    connection: HTTPConnection, response: HTTPResponse, body: Body
) -> ApiError:
    """The engine's error in our words where it is the operator's to mend."""
    text = _text(response)
    connection.close()
    status = response.status
    if status in (400, 413, 422):
        return _passed_on(status, text)
    logger.error("The inference engine answered %s: %s", status, text[:500])
    if status == 429:
        return BUSY
    return ApiError(503, _reason(status, body), code="inference_unavailable")


def _passed_on(status: int, text: str) -> ApiError:
    """What is wrong with the question, as the engine says it."""
    try:
        answer = orjson.loads(text)
        error = answer.get("error") or answer
        message, param = str(error["message"]), error.get("param")
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        message, param = text[:500], None
    param = param if isinstance(param, str) else None
    return ApiError(413 if status == 413 else 400, message, param=param)


def _reason(status: int, body: Body) -> str:
    if status in (401, 403):
        return (
            "The inference engine refuses this server's key. Correct"
            " TUNING_SERVER_INFERENCE_KEY."
        )
    if status == 404 and body["adapter"]:
        return (
            "The inference engine could not load this tuned model. vLLM needs"
            " --enable-lora, VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, --max-lora-rank of"
            " at least the adapter's, and the trainer's folder under the same path; the"
            " log of the web process has its answer."
        )
    if status == 404:
        return (
            f"The inference engine has no model {body['base']}. Let it serve the base"
            f" model under this name; vLLM: --served-model-name {body['base']}."
        )
    return (
        f"The inference engine failed with status {status}; the log of the web process"
        " has its answer."
    )


def _text(response: HTTPResponse) -> str:
    return response.read(MAX_ERROR_BYTES).decode(errors="replace")
