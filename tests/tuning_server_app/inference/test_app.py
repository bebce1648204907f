"""The WSGI application, called as gunicorn calls it."""

import io
import json
import socket
from typing import Any

import pytest

from tests.tuning_server_app.inference.models import QUESTION
from tests.tuning_server_app.tiny_model import NAME, PEFT_WARNING
from tuning_server_app.errors import ApiError
from tuning_server_app.inference import engine as engine_module
from tuning_server_app.inference.app import make_app
from tuning_server_app.inference.row import Row

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

BODY = {
    "model": "ft:tiny:acme::1",
    "base": NAME,
    "adapter": None,
    "messages": QUESTION,
    "max_tokens": 12,
}


class Response:
    def __init__(self, app: Any, method: str, path: str, **environment: Any) -> None:
        payload = environment.pop("payload", b"")
        self._body = app(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "CONTENT_LENGTH": str(len(payload)),
                "wsgi.input": io.BytesIO(payload),
                **environment,
            },
            self._start,
        )
        self.content = b"".join(self._body)
        if hasattr(self._body, "close"):
            self._body.close()

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status = int(status.split()[0])
        self.headers = dict(headers)

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def chunks(self) -> list[Any]:
        *events, done = self.content.decode().strip().split("\n\n")
        assert done == "data: [DONE]"
        return [json.loads(event.removeprefix("data: ")) for event in events]


def ask(engine: Any, payload: bytes | None = None, **fields: Any) -> Response:
    body = payload or json.dumps({**BODY, **fields}).encode()
    path = "/v1/chat/completions"
    return Response(make_app(engine), "POST", path, payload=body)


def text_of(chunks: list[Any], index: int = 0) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        for choice in chunk["choices"]
        if choice["index"] == index
    )


def test_a_completion_has_every_key_that_clients_read(engine, tokenizer):
    response = ask(engine)

    completion = response.json
    (choice,) = completion["choices"]
    usage = completion["usage"]
    assert response.status == 200
    assert completion["object"] == "chat.completion"
    assert completion["model"] == "ft:tiny:acme::1"
    assert choice["message"]["role"] == "assistant"
    assert choice["finish_reason"] == "length"
    assert usage["completion_tokens"] == 12
    assert usage["total_tokens"] == usage["prompt_tokens"] + 12
    prompt = tokenizer.apply_chat_template(
        QUESTION, add_generation_prompt=True, tokenize=False
    )
    assert usage["prompt_tokens"] == len(tokenizer.tokenize(prompt))


def test_a_stream_says_the_same_piece_by_piece(engine):
    whole = ask(engine).json["choices"][0]["message"]["content"]

    response = ask(engine, stream=True)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert text_of(response.chunks) == whole
    assert len(response.chunks) > 3
    assert response.chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert response.chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_a_stream_ends_with_its_usage_when_asked(engine):
    usage = ask(engine).json["usage"]

    response = ask(engine, stream=True, stream_options={"include_usage": True})

    assert response.chunks[-1]["choices"] == []
    assert response.chunks[-1]["usage"] == usage


def test_every_choice_of_a_stream_is_told_apart(engine):
    fields: dict[str, Any] = {"n": 2, "temperature": 1.5, "seed": 4}
    choices = ask(engine, **fields).json["choices"]

    chunks = ask(engine, stream=True, **fields).chunks

    for index, choice in enumerate(choices):
        assert text_of(chunks, index) == choice["message"]["content"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x " * 400}]}, "messages"),
        ({"messages": [{"role": "user", "content": "<|im_end|>"}]}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"tools": "draw"}, "tools"),
        ({"seed": "x"}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"logprobs": 1}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"9999": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "5"),
        ({"frequency_penalty": 3}, "frequency_penalty"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"functions": [{"name": "draw"}]}, "functions"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"top_k": 5}, "top_k"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(engine, fields, param):
    response = ask(engine, **fields)

    assert response.status == 400
    assert response.json["error"]["param"] == param
    assert response.json["error"]["message"]


@pytest.mark.parametrize("payload", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(engine, payload):
    assert ask(engine, payload).status == 400


def test_a_full_queue_asks_to_come_back_later(make_engine, monkeypatch):
    monkeypatch.setattr(engine_module, "MAX_CHATS", 0)

    response = ask(make_engine())

    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 0


def test_health_is_answered(engine):
    assert Response(make_app(engine), "GET", "/health").json == {"status": "ok"}


def test_other_paths_are_not_found(engine):
    assert Response(make_app(engine), "GET", "/v1/models").status == 404


def test_an_answer_is_not_written_on_for_a_client_that_went_away(engine):
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        response = Response(
            make_app(engine),
            "POST",
            "/v1/chat/completions",
            payload=json.dumps({**BODY, "max_tokens": 200}).encode(),
            **{"gunicorn.socket": ours},
        )

    assert response.json["usage"]["completion_tokens"] == 0


def test_a_stream_that_fails_half_way_ends_with_the_reason(engine, monkeypatch):
    error = ApiError(503, "No room.", code="out_of_memory")
    take = Row.take

    def fails_at_the_fifth(row: Any, token: int, logprob: Any = None) -> None:
        take(row, token, logprob)
        if row._n_tokens == 5:
            raise error

    monkeypatch.setattr(Row, "take", fails_at_the_fifth)
    content = ask(engine, stream=True).content

    *chunks, last = content.decode().strip().split("\n\n")
    assert len(chunks) > 1
    assert json.loads(last.removeprefix("data: ")) == error.envelope


def test_weights_that_cannot_be_loaded_are_told_as_json(make_engine, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    response = ask(make_engine(tmp_path))

    assert response.status == 500
    assert response.json["error"]["type"] == "server_error"
