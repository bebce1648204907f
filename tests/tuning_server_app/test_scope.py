"""What belongs to one organization does not exist for another: every route, by id."""

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    BASE,
    make_checkpoint,
    make_file,
    make_job,
    make_organization,
)
from tuning_server_app.models import File, Organization, TunedModel, TuningJob

ROUTES = [
    ("get", "/v1/files/{file}"),
    ("get", "/v1/files/{file}/content"),
    ("delete", "/v1/files/{file}"),
    ("get", "/v1/fine_tuning/jobs/{job}"),
    ("post", "/v1/fine_tuning/jobs/{job}/cancel"),
    ("post", "/v1/fine_tuning/jobs/{job}/pause"),
    ("post", "/v1/fine_tuning/jobs/{job}/resume"),
    ("get", "/v1/fine_tuning/jobs/{job}/events"),
    ("get", "/v1/fine_tuning/jobs/{job}/checkpoints"),
    ("get", "/v1/models/{model}"),
    ("delete", "/v1/models/{model}"),
]
LISTS = ["/v1/files", "/v1/fine_tuning/jobs"]


@pytest.fixture
def foreign(db: None) -> dict[str, str]:
    """Ids of what another organization has."""
    job = make_job(organization=make_organization(slug="strangers"))
    return {
        "file": make_file(job.organization).wire_id,
        "job": job.wire_id,
        "model": make_checkpoint(job).tuned_model.name,
    }


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_foreign_id_is_not_found(
    api: Client, foreign: dict[str, str], method: str, path: str
):
    response = getattr(api, method)(path.format(**foreign))
    assert response.status_code == 404
    assert TuningJob.objects.get().status == "validating_files"
    assert File.objects.count() == TunedModel.objects.count() == 1


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
