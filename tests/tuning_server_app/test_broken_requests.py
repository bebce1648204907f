"""Requests that break off, sockets that are gone, disks that lost a file."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import Client, RequestFactory

from tests.tuning_server_app.factories import make_file
from tests.tuning_server_app.test_chat import EVENT, STREAM, Upstream, ask, upstream
from tuning_server_app import file_store, inference_client
from tuning_server_app.models import File, Organization
from tuning_server_app.services import tuned_models
from tuning_server_app.views.chat import _is_client_gone
from tuning_server_app.views.incoming import disk_errors

__all__ = ["ask", "upstream"]  # fixtures

FORM = "multipart/form-data; boundary=x"


class CutOff:
    """The body of a client that goes away in the middle of it."""

    def read(self, *_size: object) -> bytes:
        raise OSError("connection reset")

    readline = read


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/fine_tuning/jobs", "application/json"), ("/v1/files", FORM)],
)
def test_a_body_that_breaks_off_is_the_clients_fault(api: Client, path: str, kind: str):
    cut_off: Any = {"wsgi.input": CutOff()}
    response = api.post(path, b"x" * 9, kind, **cut_off)
    assert response.status_code == 400
    assert "ended before it was complete" in response.json()["error"]["message"]


def test_a_connection_that_breaks_is_no_fault_of_the_disk():
    with pytest.raises(UnreadablePostError), disk_errors():
        raise UnreadablePostError


@pytest.mark.parametrize("boundary", ["", "x" * 300, "ä"])
def test_a_form_without_a_boundary_is_explained(api: Client, boundary: str):
    kind = f"multipart/form-data; boundary={boundary}"
    error = api.post("/v1/files", b"body", kind).json()["error"]
    assert "The form could not be read" in error["message"]


def test_a_form_of_too_many_files_is_explained(api: Client, settings: Any):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    part = '--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\na\r\n'
    response = api.post("/v1/files", (part * 2 + "--x--\r\n").encode(), FORM)
    assert response.status_code == 400
    assert "The form could not be read" in response.json()["error"]["message"]


def test_a_long_file_name_is_kept_in_part(api: Client):
    head = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n'
    parts = (
        head.format("purpose", "") + "fine-tune",
        head.format("file", f'; filename="{"a" * 300}"') + "{}",
    )
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    assert api.post("/v1/files", body.encode(), FORM).status_code == 200
    assert File.objects.get().filename == "a" * 255


def test_a_file_whose_bytes_are_lost_is_not_found_and_the_operator_hears_of_it(
    api: Client, organization: Organization, caplog: Any
):
    file = make_file(organization)
    file_store.remove(file.blob)
    response = api.get(f"/v1/files/{file.wire_id}/content")
    assert response.status_code == 404
    assert "gone from the server's disk" in response.json()["error"]["message"]
    assert "bytes of" in caplog.text


def test_what_failed_is_found_in_the_log_by_its_request_id(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    def fail() -> None:
        raise RuntimeError("the reason")

    monkeypatch.setattr(tuned_models, "base_models", fail)
    response = api.get("/v1/models")
    assert f"GET /v1/models: 500, {response['x-request-id']}" in caplog.text
    assert "RuntimeError: the reason" in caplog.text


def test_a_refusal_is_no_line_in_the_log(api: Client, caplog: Any):
    api.get("/v1/models/nobody")
    assert "tuning_server_app" not in caplog.text


def test_a_request_without_a_key_says_which_kind_is_wanted(client: Client, db: None):
    assert client.get("/v1/models")["WWW-Authenticate"] == "Bearer"


def test_another_refusal_asks_for_no_key(api: Client):
    assert "WWW-Authenticate" not in api.get("/v1/nothing")


def test_a_client_that_is_gone_gets_no_error_of_the_server(
    ask: Any, monkeypatch: pytest.MonkeyPatch
):
    def abandon(*_question: Any, **_more: Any) -> None:
        raise inference_client.Abandoned

    monkeypatch.setattr(inference_client, "ask", abandon)
    assert ask().status_code == 499


def asked_over(connection: socket.socket | None) -> bool:
    environment: Any = {} if connection is None else {"gunicorn.socket": connection}
    return _is_client_gone(RequestFactory().get("/", **environment))


def test_a_client_whose_connection_is_not_known_is_there():
    assert not asked_over(None)


def test_a_client_that_is_silent_is_there():
    ours, theirs = socket.socketpair()
    hang_up = threading.Timer(10, theirs.shutdown, [socket.SHUT_RDWR])
    hang_up.start()
    with ours, theirs:
        assert not asked_over(ours)
        hang_up.cancel()


def test_looking_for_a_client_takes_nothing_of_what_it_sends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"next")
        assert not asked_over(ours)
        assert ours.recv(4) == b"next"


def test_a_client_whose_connection_broke_is_gone():
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()
    assert asked_over(ours)


def test_an_answer_that_breaks_off_is_in_the_log(
    ask: Any, upstream: Upstream, caplog: Any
):
    head = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    upstream.answer(head, b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
    assert b"".join(ask(stream=True).streaming_content)
    assert "died while it answered" in caplog.text


def test_an_inference_process_that_is_not_there_is_in_the_log(
    ask: Any, settings: Any, tmp_path: Path, caplog: Any
):
    settings.INFERENCE_SOCKET = tmp_path / "nothing.sock"
    assert ask().status_code == 503
    assert "inference process does not answer" in caplog.text
