"""/v1/models."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.tuning_server_app.factories import BASE, make_job, make_model
from tuning_server_app.models import Organization, TunedModel
from tuning_server_app.services.tuned_models import runs_folder


def make_weights(model: TunedModel) -> Path:
    folder = runs_folder() / model.adapter
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").touch()
    return folder


def test_base_models_and_own_models_are_listed(api: Client, organization: Organization):
    tuned = make_model(make_job(organization=organization))
    models = api.get("/v1/models").json()["data"]
    assert [(model["id"], model["owned_by"]) for model in models] == [
        (BASE, "system"),
        (tuned.name, "acme"),
    ]


def test_a_base_model_is_found(api: Client):
    model = api.get(f"/v1/models/{BASE}").json()
    assert model["object"] == "model"
    assert model["created"] > 0


@pytest.mark.parametrize("safe", ["", ":"])
@pytest.mark.parametrize("base", [BASE, "house/base"])
def test_a_tuned_model_is_found_by_its_encoded_name(
    api: Client, organization: Organization, safe: str, base: str
):
    tuned = make_model(make_job(organization=organization), name=f"ft:{base}:acme::a")
    path = f"/v1/models/{quote(tuned.name, safe=safe)}"
    assert api.get(path).json()["id"] == tuned.name


def test_a_base_model_cannot_be_deleted(api: Client):
    response = api.delete(f"/v1/models/{BASE}")
    assert response.status_code == 403


def test_deleting_a_model_deletes_its_weights(
    api: Client,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
):
    tuned = make_model(make_job(organization=organization))
    folder = make_weights(tuned)
    with django_capture_on_commit_callbacks(execute=True):
        response = api.delete(f"/v1/models/{tuned.name}")
    assert response.json() == {"id": tuned.name, "object": "model", "deleted": True}
    assert not folder.exists()


def test_weights_stay_while_another_name_uses_them(
    api: Client,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
):
    job = make_job(organization=organization)
    tuned, checkpoint = make_model(job), make_model(job)
    folder = make_weights(tuned)
    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/v1/models/{tuned.name}")
    assert folder.exists()
    assert api.get(f"/v1/models/{checkpoint.name}").status_code == 200


def test_a_model_whose_base_left_the_settings_cannot_be_asked(
    api: Client, organization: Organization, settings: Any
):
    tuned = make_model(make_job(organization=organization))
    settings.TUNING_SERVER_BASE_MODELS = {}
    messages = [{"role": "user", "content": "Hi"}]
    body = {"model": tuned.name, "messages": messages}
    response = api.post("/v1/chat/completions", body, "application/json")
    assert response.status_code == 404


def test_a_model_whose_weights_are_gone_can_be_deleted(
    api: Client, organization: Organization, django_capture_on_commit_callbacks: Any
):
    tuned = make_model(make_job(organization=organization))
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/v1/models/{tuned.name}").status_code == 200


def test_a_base_whose_weights_are_missing_breaks_no_list(api: Client, settings: Any):
    settings.TUNING_SERVER_BASE_MODELS = {BASE: "/nowhere"}
    [model] = api.get("/v1/models").json()["data"]
    assert (model["id"], model["created"]) == (BASE, 0)
