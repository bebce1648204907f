"""What another engine answers: its connections, its odd forms, what the log keeps."""

from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import orjson
import pytest

from tests.tuning_server_app.engine_stand_in import Engine, Handler
from tests.tuning_server_app.factories import BASE
from tests.tuning_server_app.test_chat import EVENT, STREAM, Upstream, upstream
from tests.tuning_server_app.test_other_engine import MESSAGES, ask, engine, tuned
from tuning_server_app import inference_client
from tuning_server_app.inference_client import answers, asking, other_engine
from tuning_server_app.inference_client.other_engine import _Renamed
from tuning_server_app.models import TunedModel

__all__ = ["ask", "engine", "tuned", "upstream"]  # fixtures

LONG = "x" * 1_000


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[HTTPConnection]:
    """The connections to an engine that leaves them open, as vLLM does."""
    found: list[HTTPConnection] = []
    post = other_engine._post

    def note(*question: Any) -> tuple[HTTPConnection, HTTPResponse]:
        connection, response = post(*question)
        found.append(connection)
        return connection, response

    monkeypatch.setattr(other_engine, "_post", note)
    monkeypatch.setattr(Handler, "protocol_version", "HTTP/1.1")
    return found


def test_no_connection_outlives_an_answer(
    ask: Any, engine: Engine, tuned: TunedModel, posts: list[HTTPConnection]
):
    assert ask(model=tuned.name).status_code == 200
    assert [connection.sock for connection in posts] == [None] * len(
        ["asked", "loaded", "asked again"]
    )


def test_no_connection_outlives_a_refusal(
    ask: Any, engine: Engine, posts: list[HTTPConnection]
):
    engine.answer_with = 500, {}
    ask()
    assert [connection.sock for connection in posts] == [None]


def test_a_stream_that_nobody_hears_any_more_is_closed(upstream: Upstream):
    upstream.answer(STREAM, EVENT, wait_for_end=True)
    body = {"model": BASE, "messages": MESSAGES}
    answer = inference_client.ask(body, base_model=BASE, adapter=None)
    next(answer.chunks())
    answer.close()
    assert upstream.heard_the_end.wait(60)
    assert answer.is_stream  # it is held until here


@pytest.mark.parametrize("host", ["engine", "socket"])
def test_an_answer_may_take_long_though_a_call_may_not(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, host: str
):
    patience: list[float | None] = []

    def look(sock: Any, _is_abandoned: Callable[[], bool]) -> None:
        patience.append(sock.gettimeout())
        raise OSError

    request.getfixturevalue("engine" if host == "engine" else "upstream")
    monkeypatch.setattr(answers, "_wait", look)
    with pytest.raises(inference_client.InferenceDown):
        inference_client.ask(
            {"model": BASE, "messages": MESSAGES}, base_model=BASE, adapter=None
        )
    assert patience == [answers.ANSWER_SECONDS]


def test_a_call_to_our_own_process_is_given_up_soon(upstream: Upstream, settings: Any):
    connection = asking._UnixConnection(str(settings.INFERENCE_SOCKET))
    connection.connect()
    assert connection.sock.gettimeout() == asking.CONNECT_SECONDS
    connection.close()


class Said:
    """An answer of an engine that came in these pieces."""

    status = 200

    def __init__(self, kind: str, *pieces: bytes) -> None:
        self.headers = {"Content-Type": kind}
        self._pieces = iter(pieces)

    def read1(self, _size: int) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        pass


def passed_on(*pieces: bytes, kind: str = "text/event-stream") -> bytes:
    said: Any = Said(kind, *pieces)
    answer = _Renamed(HTTPConnection("localhost"), said, "ours")
    return b"".join(answer.chunks())


def test_an_error_in_the_middle_of_a_stream_reaches_the_client():
    error = b'data: {"error": {"message": "out of memory"}}\n\n'
    assert passed_on(error) == error


def test_a_stream_without_a_last_line_end_is_whole():
    said = passed_on(b'data: {"choices": []}\n\ndata: {"choices"', b": []}")
    named = b"data: " + orjson.dumps({"choices": [], "model": "ours"})
    assert said == named + b"\n\n" + named + b"\n"


def test_a_whole_answer_without_choices_is_none():
    with pytest.raises(inference_client.InferenceDown):
        passed_on(b'{"error": {}}', kind="application/json")


def test_the_log_keeps_a_part_of_what_the_engine_said(
    ask: Any, engine: Engine, caplog: Any
):
    engine.answer_with = 500, LONG
    ask()
    assert "The inference engine answered 500" in caplog.text
    assert LONG[:400] in caplog.text
    assert LONG not in caplog.text


def test_the_log_keeps_a_part_of_why_nothing_was_loaded(
    ask: Any, engine: Engine, tuned: TunedModel, caplog: Any
):
    engine.can_load, engine.why_not = False, LONG
    ask(model=tuned.name)
    assert LONG[:400] in caplog.text
    assert LONG not in caplog.text


def test_an_engine_that_fails_at_a_tuned_model_is_not_said_to_lack_it(
    ask: Any, engine: Engine, tuned: TunedModel
):
    engine.answer_with = 500, {}
    message = ask(model=tuned.name).json()["error"]["message"]
    assert "failed with status 500" in message
