"""What every path has in common: the key, the envelope, the request id."""

from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import make_key
from tuning_server_app import services
from tuning_server_app.models import ApiKey
from tuning_server_app.services import tuned_models

PATHS = [
    "/v1/files",
    "/v1/files/file-1",
    "/v1/files/file-1/content",
    "/v1/fine_tuning/jobs",
    "/v1/fine_tuning/jobs/ftjob-1",
    "/v1/fine_tuning/jobs/ftjob-1/cancel",
    "/v1/fine_tuning/jobs/ftjob-1/pause",
    "/v1/fine_tuning/jobs/ftjob-1/resume",
    "/v1/fine_tuning/jobs/ftjob-1/events",
    "/v1/fine_tuning/jobs/ftjob-1/checkpoints",
    "/v1/models",
    "/v1/models/ft:a:b:c:d",
    "/v1/chat/completions",
    "/v1/nothing",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_without_a_key_every_path_is_closed(client: Client, path: str, method: str):
    response = getattr(client, method)(path)
    assert response.status_code == 401
    error = response.json()["error"]
    assert error["code"] == "invalid_api_key"
    assert "./manage.py tuning_key create NAME" in error["message"]


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer sk-wrong", "Basic c2s6", "Bearer ", "sk-"])
def test_a_wrong_key_is_refused(client: Client, header: str):
    response = client.get("/v1/models", headers={"Authorization": header})
    assert response.status_code == 401


def test_a_revoked_key_is_refused(api: Client):
    key = ApiKey.objects.get()
    services.revoke_key(key.name, key.organization.slug)
    assert api.get("/v1/models").status_code == 401


def test_a_session_opens_nothing(admin_client: Client):
    assert admin_client.get("/v1/models").status_code == 401


def test_no_csrf_token_is_asked_for(db: None):
    _key, secret = make_key()
    client = Client(
        enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"}
    )
    response = client.post("/v1/fine_tuning/jobs", {}, "application/json")
    assert response.status_code == 400


def test_the_use_of_a_key_is_noted(api: Client):
    api.get("/v1/models")
    assert ApiKey.objects.get().last_used_at is not None


def test_an_unknown_path_answers_json(api: Client):
    response = api.get("/v1/embeddings")
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": "Unknown request URL: GET /v1/embeddings.",
            "type": "invalid_request_error",
            "param": None,
            "code": "unknown_url",
        }
    }


def test_a_wrong_method_answers_json(api: Client):
    response = api.put("/v1/files")
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"
    assert response["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v1/files"), ("FIND", "/v1/files/file-1"), ("DISPATCH", "/v1/files")],
)
def test_no_method_calls_what_is_no_handler(api: Client, method: str, path: str):
    assert api.generic(method, path).status_code == 405


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing"])
def test_every_answer_has_a_request_id_of_its_own(api: Client, path: str):
    first, second = (api.get(path)["x-request-id"] for _ in range(2))
    assert first.startswith("req_")
    assert first != second


def test_a_bug_answers_json_without_its_text(
    api: Client, monkeypatch: pytest.MonkeyPatch
):
    def fail() -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(tuned_models, "base_models", fail)
    response = api.get("/v1/models")
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "secret detail" not in response.content.decode()


@pytest.mark.parametrize("body", [b"{", b'{"suffix": "\\u0000"}', b"\xff", b""])
def test_a_body_that_cannot_be_read_is_refused(api: Client, body: bytes):
    response = api.post("/v1/fine_tuning/jobs", body, "application/json")
    assert response.status_code == 400
    assert "not JSON that can be read" in response.json()["error"]["message"]


def test_a_huge_body_is_refused(api: Client, settings: Any):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = api.post("/v1/fine_tuning/jobs", b" " * 101, "application/json")
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/v1/files/%00", "/v1/files?after=%00"])
def test_a_nul_in_the_address_is_refused(api: Client, path: str):
    assert api.get(path).status_code == 400


def test_more_fields_than_the_settings_allow_are_refused(api: Client):
    assert api.get("/v1/files?" + "a&" * 1001).status_code == 400


def test_the_escape_of_a_nul_as_plain_text_is_no_nul(api: Client):
    body = rb'{"model": "\\u0000"}'
    response = api.post("/v1/fine_tuning/jobs", body, "application/json")
    assert "not JSON" not in response.json()["error"]["message"]
