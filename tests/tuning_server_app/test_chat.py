"""/v1/chat/completions, as far as the web process goes: a scripted unix socket stands
where the inference process would be. The two together are in tests/contract.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import BASE, make_job, make_model
from tuning_server_app.models import Organization

MESSAGES = [{"role": "user", "content": "안녕?"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\n\r\n"
STREAM = HEAD % b"text/event-stream"
JSON = HEAD % b"application/json"
FACTS = {"id": "chatcmpl-1", "created": 1, "model": BASE, "choices": []}
COMPLETION = json.dumps({**FACTS, "object": "chat.completion"}).encode()
CHUNK = json.dumps({**FACTS, "object": "chat.completion.chunk"}).encode()
EVENT = b"data: " + CHUNK + b"\n\n"
REFUSAL = {"message": "too long", "type": "t", "param": None, "code": None}
REFUSED = json.dumps({"error": REFUSAL}).encode()


class Upstream:
    """Accepts one connection, remembers what was asked, answers what it is told."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.request: dict[str, Any] = {}
        self.heard_the_end = threading.Event()
        self._thread = threading.Thread()

    def answer(self, *chunks: bytes, wait_for_end: bool = False) -> None:
        self._thread = threading.Thread(target=self._serve, args=(chunks, wait_for_end))
        self._thread.start()

    def _serve(self, chunks: tuple[bytes, ...], wait_for_end: bool) -> None:
        connection, _address = self._listener.accept()
        with connection, connection.makefile("rb") as lines:
            length = 0
            while (line := lines.readline()).strip():
                name, _colon, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.request = json.loads(lines.read(length))
            for chunk in chunks:
                connection.sendall(chunk)
            if wait_for_end and not connection.recv(1):
                self.heard_the_end.set()

    def close(self) -> None:
        self._listener.close()
        if self._thread.ident is not None:
            self._thread.join(10)


@pytest.fixture
def upstream(settings: Any, tmp_path: Path) -> Iterator[Upstream]:
    settings.INFERENCE_SOCKET = tmp_path / "inference.sock"
    server = Upstream(settings.INFERENCE_SOCKET)
    yield server
    server.close()


@pytest.fixture
def ask(api: Client) -> Callable[..., Any]:
    def ask(environment: dict[str, Any] | None = None, **body: Any) -> Any:
        body = {"model": BASE, "messages": MESSAGES, **body}
        path = "/v1/chat/completions"
        return api.post(path, body, "application/json", **environment or {})

    return ask


def test_a_base_model_is_asked_without_an_adapter(ask: Any, upstream: Upstream):
    upstream.answer(JSON + COMPLETION)
    assert ask(temperature=0).json() == json.loads(COMPLETION)
    assert upstream.request == {
        "model": BASE,
        "messages": MESSAGES,
        "temperature": 0,
        "base": BASE,
        "adapter": None,
    }


def test_a_tuned_model_is_asked_with_its_adapter(
    ask: Any, upstream: Upstream, organization: Organization
):
    tuned = make_model(make_job(organization=organization))
    upstream.answer(JSON + COMPLETION)
    ask(model=tuned.name)
    assert (upstream.request["base"], upstream.request["adapter"]) == (
        BASE,
        tuned.adapter,
    )


def test_an_alias_is_answered_by_the_model_it_stands_for(
    ask: Any, upstream: Upstream, settings: Any
):
    settings.TUNING_SERVER_MODEL_ALIASES = {"gpt-4o-mini": BASE}
    upstream.answer(JSON + COMPLETION)
    response = ask(model="gpt-4o-mini")
    assert (upstream.request["model"], upstream.request["base"]) == (BASE, BASE)
    assert response["openai-model"] == BASE


def test_a_stream_says_which_model_answers(ask: Any, upstream: Upstream):
    upstream.answer(STREAM, b"data: [DONE]\n\n")
    response = ask(stream=True)
    assert response["openai-model"] == BASE
    assert b"".join(response.streaming_content)  # or the other end writes to nobody


def test_a_client_cannot_choose_the_folder(ask: Any, upstream: Upstream):
    upstream.answer(JSON + COMPLETION)
    ask(base="other", adapter="../../../etc")
    assert (upstream.request["base"], upstream.request["adapter"]) == (BASE, None)


def test_a_refusal_is_passed_on(ask: Any, upstream: Upstream):
    head = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
    upstream.answer(head + REFUSED)
    response = ask()
    assert response.status_code == 400
    assert response.json() == {"error": REFUSAL}


def test_a_stream_comes_through(ask: Any, upstream: Upstream):
    upstream.answer(STREAM, EVENT, b"data: [DONE]\n\n")
    response = ask(stream=True)
    assert b"".join(response.streaming_content) == EVENT + b"data: [DONE]\n\n"
    assert response["Content-Type"] == "text/event-stream"


def test_when_the_client_goes_the_inference_process_hears_it(
    ask: Any, upstream: Upstream
):
    upstream.answer(STREAM, EVENT, wait_for_end=True)
    response = ask(stream=True)
    assert next(response.streaming_content) == EVENT
    response.close()
    assert upstream.heard_the_end.wait(60)


def test_a_client_that_goes_before_the_first_word_is_heard_too(
    ask: Any, upstream: Upstream
):
    upstream.answer(STREAM, wait_for_end=True)
    ask(stream=True).close()
    assert upstream.heard_the_end.wait(60)


def test_when_the_client_goes_before_the_answer_the_inference_process_hears_it(
    ask: Any, upstream: Upstream
):
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        upstream.answer(wait_for_end=True)
        ask({"gunicorn.socket": ours})
    assert upstream.heard_the_end.wait(60)


def test_a_busy_inference_process_tells_when_to_come_again(
    ask: Any, upstream: Upstream
):
    head = b"HTTP/1.1 429 Refused\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
    upstream.answer(head + REFUSED)
    response = ask()
    assert (response.status_code, response["Retry-After"]) == (429, "5")


def test_a_stream_that_breaks_ends_with_an_error(ask: Any, upstream: Upstream):
    head = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    upstream.answer(head, b"%x\r\n%b\r\n" % (len(EVENT), EVENT))  # and no last chunk
    events = b"".join(ask(stream=True).streaming_content).split(b"\n\n")
    assert events[0] == EVENT.strip()
    error = json.loads(events[1].removeprefix(b"data: "))["error"]
    assert error["code"] == "inference_unavailable"


def test_without_the_inference_process_the_answer_says_how_to_start_it(
    ask: Any, settings: Any, tmp_path: Path
):
    settings.INFERENCE_SOCKET = tmp_path / "nothing.sock"
    response = ask()
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["type"] == "server_error"
    assert "gunicorn tuning_server_app.inference.wsgi" in error["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", None), ("model", 7), ("messages", None), ("messages", [])],
)
def test_a_question_without_its_parts_is_refused(ask: Any, field: str, value: Any):
    response = ask(**{field: value})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == field


def test_an_unknown_model_is_not_found(ask: Any):
    assert ask(model="nobody").json()["error"]["code"] == "model_not_found"


def test_a_body_nested_too_deeply_is_refused(api: Client):
    content = "[" * 300 + "]" * 300
    body = f'{{"model": "{BASE}", "messages": [{content}]}}'
    response = api.post("/v1/chat/completions", body, "application/json")
    assert response.status_code == 400
    assert "nested" in response.json()["error"]["message"]


@pytest.mark.parametrize("body", [[], ["model"], "model", 7, None])
def test_a_body_that_is_no_object_is_refused(api: Client, body: Any):
    response = api.post("/v1/chat/completions", json.dumps(body), "application/json")
    assert response.status_code == 400
    assert "JSON object" in response.json()["error"]["message"]
