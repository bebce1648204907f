"""A connection goes where it was judged to go, and nothing outlives its deadline."""

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpcore2
import httpx2
import pytest

from guarded_calls import pinned
from guarded_calls.addresses import Endpoint, Fault, FaultyUrl
from guarded_calls.pinned import Deadline, PinnedBackend, TimedStream, post
from tests.jobs_app.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def send(receiver: Receiver, url: str = "", **changes: Any) -> int:
    host, port = receiver.host.split(":")
    given: dict[str, Any] = {"judge": None, "headers": {}, "body": b"x", "seconds": 60}
    endpoint = Endpoint("http", host, int(port))
    return post(url or receiver.url, endpoint, **{**given, **changes})


def test_a_redirect_is_not_followed(receiver):
    receiver.answers = [307]

    assert send(receiver) == 307
    assert len(receiver.got) == 1


def test_the_endpoint_that_was_judged_is_called_whatever_the_url_says(receiver):
    assert send(receiver, "http://elsewhere.invalid:1/hook") == 204


def test_a_judge_that_says_no_keeps_everything_here(receiver):
    def refuse(*_args: object) -> None:
        raise FaultyUrl(Fault.INSIDE)

    with pytest.raises(FaultyUrl):
        send(receiver, judge=refuse)
    assert receiver.got == []


class Endless(httpcore2.NetworkStream):
    """Takes and gives bytes; notes how long it may take for each."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.timeouts.append(timeout)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.timeouts.append(timeout)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        self.timeouts.append(timeout)
        return self

    def close(self) -> None:
        self.timeouts.append(None)


ACTS: list[tuple[Callable[[TimedStream], Any], type[Exception]]] = [
    (lambda stream: stream.read(1, 60), httpcore2.ReadTimeout),
    (lambda stream: stream.write(b"x", 60), httpcore2.WriteTimeout),
    (
        lambda stream: stream.start_tls(ssl.create_default_context(), "a", 60),
        httpcore2.ConnectTimeout,
    ),
]


@pytest.mark.parametrize(("act", "error"), ACTS)
def test_nothing_begins_after_the_deadline(act, error):
    inner = Endless()

    with pytest.raises(error):
        act(TimedStream(inner, Deadline(0)))
    assert inner.timeouts == []


@pytest.mark.parametrize(("act", "_error"), ACTS)
def test_nothing_takes_longer_than_what_is_left(act, _error):
    inner = Endless()

    act(TimedStream(inner, Deadline(30)))

    [timeout] = inner.timeouts
    assert timeout is not None
    assert 0 < timeout <= 30


@pytest.mark.parametrize(("act", "_error"), ACTS)
def test_nor_than_it_was_given(act, _error):
    inner = Endless()

    act(TimedStream(inner, Deadline(600)))

    assert inner.timeouts == [60]


def test_a_connection_under_tls_has_the_same_deadline():
    deadline = Deadline(60)
    plain = TimedStream(Endless(), deadline)
    inner = plain.start_tls(ssl.create_default_context(), "a", 60)
    deadline._ends_at = 0

    with pytest.raises(httpcore2.ReadTimeout):
        inner.read(1, 60)


def test_whoever_may_not_send_any_more_sends_nothing():
    def stop() -> None:
        raise PermissionError

    inner = Endless()

    with pytest.raises(PermissionError):
        TimedStream(inner, Deadline(60, stop)).write(b"x")
    assert inner.timeouts == []


def test_no_connection_begins_after_the_deadline(receiver):
    host, port = receiver.host.split(":")
    endpoint = Endpoint("http", host, int(port))
    backend = PinnedBackend(endpoint, judge=None, deadline=Deadline(0))

    with pytest.raises(httpcore2.ConnectTimeout):
        backend.connect_tcp(host, int(port))


@pytest.mark.parametrize("error", [httpcore2.ConnectError, httpcore2.ConnectTimeout])
def test_an_address_that_does_not_answer_is_followed_by_the_next(
    receiver, monkeypatch, error
):
    connect = httpcore2.SyncBackend.connect_tcp

    def connect_elsewhere(backend: Any, host: str, *args: Any) -> Any:
        if host == "127.0.0.2":
            raise error
        return connect(backend, host, *args)

    monkeypatch.setattr(pinned, "resolve", lambda *_: ["127.0.0.2", "127.0.0.1"])
    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect_elsewhere)

    assert send(receiver) == 204


def test_a_host_where_nobody_answers_cannot_be_reached(receiver, monkeypatch):
    monkeypatch.setattr(pinned, "resolve", lambda *_: ["127.0.0.2"])

    with pytest.raises(httpx2.ConnectError):
        send(receiver)


def test_a_name_that_nobody_knows_cannot_be_reached(receiver, monkeypatch):
    def unknown(*_args: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(pinned, "resolve", unknown)

    with pytest.raises(httpx2.ConnectError):
        send(receiver)
