"""An id names one of several rows, and nothing happens to the others."""

from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    BASE,
    make_chat,
    make_checkpoint,
    make_file,
    make_job,
)
from tuning_server_app.models import (
    CheckpointPermission,
    Organization,
    TunedModel,
    TuningJob,
)
from tuning_server_app.services.permissions import permit

JOBS = "/v1/fine_tuning/jobs"
CHATS = "/v1/chat/completions"


@pytest.fixture
def models(organization: Organization) -> list[TunedModel]:
    job = make_job(organization=organization)
    return [make_checkpoint(job, step).tuned_model for step in (1, 2)]


def permissions_of(model: TunedModel) -> str:
    return f"/v1/fine_tuning/checkpoints/{model.name}/permissions"


def test_a_job_is_found_by_its_id(api: Client, organization: Organization):
    for job in [make_job(organization=organization) for _ in range(2)]:
        assert api.get(f"{JOBS}/{job.wire_id}").json()["id"] == job.wire_id


def test_a_kept_chat_is_found_by_its_id(api: Client, organization: Organization):
    for chat in [make_chat(organization) for _ in range(2)]:
        assert api.get(f"{CHATS}/{chat.wire_id}").json()["id"] == chat.wire_id


def test_a_model_is_found_by_its_name(api: Client, models: list[TunedModel]):
    for model in models:
        assert api.get(f"/v1/models/{model.name}").json()["id"] == model.name


def test_the_model_that_is_named_is_deleted(api: Client, models: list[TunedModel]):
    api.delete(f"/v1/models/{models[1].name}")
    assert TunedModel.objects.get() == models[0]


def test_the_model_that_is_named_is_lent(api: Client, models: list[TunedModel]):
    for model in models:
        body = {"project_ids": ["friends"]}
        api.post(permissions_of(model), body, "application/json")
        assert CheckpointPermission.objects.latest("pk").tuned_model == model


def test_one_permission_is_taken_back(api: Client, models: list[TunedModel]):
    first, second = permit(models[0], ["friends", "others"])
    api.delete(f"{permissions_of(models[0])}/{second.wire_id}")
    assert CheckpointPermission.objects.get() == first


@pytest.mark.parametrize("length", [255, 256])
def test_an_idempotency_key_has_a_limit(api: Client, length: int):
    headers = {"Idempotency-Key": "k" * length}
    answer: Any = api.post(JOBS, {}, "application/json", headers=headers)
    says_so = "An Idempotency-Key has at most" in answer.json()["error"]["message"]
    assert (answer.status_code, says_so) == (400, length > 255)


@pytest.mark.parametrize("body", [["metadata"], {}])
def test_a_chat_is_changed_by_its_metadata_alone(
    api: Client, organization: Organization, body: Any
):
    chat = make_chat(organization)
    answer = api.post(f"{CHATS}/{chat.wire_id}", body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "metadata"


def test_an_empty_idempotency_key_is_none(api: Client, organization: Organization):
    file = make_file(organization).wire_id
    for seed in (1, 2):
        body = {"model": BASE, "training_file": file, "seed": seed}
        headers = {"Idempotency-Key": ""}
        answer = api.post(JOBS, body, "application/json", headers=headers)
        assert answer.status_code == 200
    assert TuningJob.objects.count() == 2
