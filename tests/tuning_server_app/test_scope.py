"""What belongs to one organization does not exist for another: every operation there
is, walked by the server's own URLs, so that a new one cannot be forgotten."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    BASE,
    make_chat,
    make_checkpoint,
    make_file,
    make_job,
    make_key,
    make_organization,
    make_upload,
)
from tuning_server_app.models import File, Organization, TunedModel, TuningJob
from tuning_server_app.services.permissions import permit
from tuning_server_app.urls import urlpatterns

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What a path's parameter is the id of. A new one: make such a row in `foreign`.
KINDS = {
    "file_id": "file",
    "job_id": "job",
    "model_id": "model",
    "upload_id": "upload",
    "completion_id": "chat",
    "permission_id": "permission",
}
# Operations without an id in their path. A new one: test that it shows and takes
# nothing foreign, then name it here.
WITHOUT_ID = {
    ("get", "files"),
    ("post", "files"),
    ("post", "uploads"),
    ("get", "fine_tuning/jobs"),
    ("post", "fine_tuning/jobs"),
    ("get", "models"),
    ("post", "fine_tuning/alpha/graders/validate"),
    ("post", "fine_tuning/alpha/graders/run"),
    ("get", "chat/completions"),
    ("post", "chat/completions"),
}
OPEN_TO_ALL = {("get", "openapi.json")}  # a description of the paths, and no data
LISTS = ["/v1/files", "/v1/fine_tuning/jobs", "/v1/chat/completions"]


def operations() -> Iterator[tuple[str, str]]:
    """Every method of every path."""
    for pattern in urlpatterns:
        view: Any = pattern.callback
        for method in view.view_class.http_method_names:
            each = method, str(pattern.pattern)
            if hasattr(view.view_class, method) and each not in OPEN_TO_ALL:
                yield each


WITH_ID = [(method, route) for method, route in operations() if "<" in route]


@pytest.fixture
def foreign(db: None) -> dict[str, str]:
    """Ids of what another organization has."""
    job = make_job(organization=make_organization(slug="strangers"))
    model = make_checkpoint(job).tuned_model
    return {
        "file": make_file(job.organization).wire_id,
        "upload": make_upload(job.organization).wire_id,
        "job": job.wire_id,
        "model": model.name,
        "permission": permit(model, ["friends"])[0].wire_id,
        "chat": make_chat(job.organization).wire_id,
    }


def call(client: Client, method: str, route: str, ids: dict[str, str]) -> int:
    path = "/v1/" + PARAMETER.sub(lambda match: ids[KINDS[match[1]]], route)
    body = {"data": {}, "content_type": "application/json"} if method == "post" else {}
    response = getattr(client, method)(path, **body)
    if response.streaming:  # to its end, or its file stays open
        b"".join(response.streaming_content)
    status: int = response.status_code
    return status


@pytest.mark.parametrize(("method", "route"), WITH_ID)
def test_a_foreign_id_is_not_found(
    api: Client, foreign: dict[str, str], method: str, route: str
):
    assert call(api, method, route, foreign) == 404
    assert TuningJob.objects.get().status == "validating_files"
    assert File.objects.count() == TunedModel.objects.count() == 1


@pytest.mark.parametrize(("method", "route"), WITH_ID)
def test_its_owner_finds_it(foreign: dict[str, str], method: str, route: str):
    _key, secret = make_key(Organization.objects.get(slug="strangers"))
    owner = Client(headers={"Authorization": f"Bearer {secret}"})
    assert call(owner, method, route, foreign) != 404


def test_every_operation_without_an_id_is_known_here():
    assert {each for each in operations() if "<" not in each[1]} == WITHOUT_ID


@pytest.mark.parametrize(("method", "route"), [*operations()])
def test_nothing_is_answered_without_a_key(
    client: Client, foreign: dict[str, str], method: str, route: str
):
    assert call(client, method, route, foreign) == 401


@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_nothing_foreign(api: Client, foreign: dict[str, str], path: str):
    assert api.get(path).json()["data"] == []


def test_the_models_hold_nothing_foreign(api: Client, foreign: dict[str, str]):
    names = [model["id"] for model in api.get("/v1/models").json()["data"]]
    assert names == [BASE]


@pytest.mark.parametrize("path", [*LISTS, "/v1/fine_tuning/jobs/{own}/events"])
def test_a_foreign_cursor_is_no_cursor(
    api: Client, organization: Organization, foreign: dict[str, str], path: str
):
    own = make_job(organization=organization)
    own.events.create(message="one")
    path = path.format(own=own.wire_id)
    for cursor in (foreign["file"], foreign["job"]):
        assert api.get(f"{path}?after={cursor}").json()["data"] == []


def test_a_foreign_file_cannot_be_trained_on(api: Client, foreign: dict[str, str]):
    body = {"model": BASE, "training_file": foreign["file"]}
    response = api.post("/v1/fine_tuning/jobs", body, "application/json")
    assert response.status_code == 400


def test_a_foreign_model_cannot_be_tuned_further(
    api: Client, organization: Organization, foreign: dict[str, str]
):
    own_file = make_file(organization).wire_id
    body = {"model": foreign["model"], "training_file": own_file}
    response = api.post("/v1/fine_tuning/jobs", body, "application/json")
    assert response.status_code == 404


def test_a_foreign_model_cannot_be_asked(api: Client, foreign: dict[str, str]):
    messages = [{"role": "user", "content": "Who are you?"}]
    body = {"model": foreign["model"], "messages": messages}
    response = api.post("/v1/chat/completions", body, "application/json")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_a_foreign_model_grades_nothing(api: Client, foreign: dict[str, str]):
    grader = {
        "type": "score_model",
        "name": "judge",
        "model": foreign["model"],
        "input": [{"role": "user", "content": "Hi"}],
    }
    for verb in ("validate", "run"):
        body = {"grader": grader, "model_sample": "a"}
        path = f"/v1/fine_tuning/alpha/graders/{verb}"
        assert api.post(path, body, "application/json").status_code == 404
