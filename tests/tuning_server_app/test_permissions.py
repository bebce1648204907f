"""/v1/fine_tuning/checkpoints/…/permissions: models lent to other organizations."""

from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    make_checkpoint,
    make_file,
    make_job,
    make_key,
    make_organization,
)
from tuning_server_app.models import CheckpointPermission, Organization, TunedModel
from tuning_server_app.services.permissions import permit


@pytest.fixture
def model(organization: Organization) -> TunedModel:
    return make_checkpoint(make_job(organization=organization)).tuned_model


@pytest.fixture
def friends() -> Client:
    """A client of the organization `friends`."""
    _key, secret = make_key(make_organization(slug="friends"))
    return Client(headers={"Authorization": f"Bearer {secret}"})


def path(model: TunedModel) -> str:
    return f"/v1/fine_tuning/checkpoints/{model.name}/permissions"


def lend(api: Client, model: TunedModel, *project_ids: Any) -> Any:
    body = {"project_ids": list(project_ids)}
    return api.post(path(model), body, "application/json")


def projects(response: Any) -> list[str]:
    return [row["project_id"] for row in response.json()["data"]]


def test_a_lent_model_is_seen_by_the_other(
    api: Client, model: TunedModel, friends: Client
):
    assert friends.get(f"/v1/models/{model.name}").status_code == 404
    assert projects(lend(api, model, "friends")) == ["friends"]
    assert friends.get(f"/v1/models/{model.name}").json()["owned_by"] == "acme"
    names = [row["id"] for row in friends.get("/v1/models").json()["data"]]
    assert model.name in names


def test_a_lent_model_may_be_asked_and_nothing_else(
    api: Client, model: TunedModel, friends: Client, settings: Any, tmp_path: Any
):
    settings.INFERENCE_SOCKET = tmp_path / "nobody.sock"
    lend(api, model, "friends")
    chat = {"model": model.name, "messages": [{"role": "user", "content": "Hi"}]}
    answer = friends.post("/v1/chat/completions", chat, "application/json")
    assert answer.status_code == 503  # found; only the process is not there
    assert friends.delete(f"/v1/models/{model.name}").status_code == 404
    assert friends.get(path(model)).status_code == 404
    file = make_file(Organization.objects.get(slug="friends")).wire_id
    job = {"model": model.name, "training_file": file}
    refused = friends.post("/v1/fine_tuning/jobs", job, "application/json")
    assert refused.status_code == 404


def test_a_permission_that_is_taken_back_ends_at_once(
    api: Client, model: TunedModel, friends: Client
):
    permission = lend(api, model, "friends").json()["data"][0]
    answer = api.delete(f"{path(model)}/{permission['id']}")
    assert answer.json() == {
        "id": permission["id"],
        "object": "checkpoint.permission",
        "deleted": True,
    }
    assert friends.get(f"/v1/models/{model.name}").status_code == 404
    assert api.delete(f"{path(model)}/{permission['id']}").status_code == 404


def test_to_lend_twice_is_to_lend_once(api: Client, model: TunedModel):
    first = lend(api, model, "friends", "friends").json()["data"]
    assert lend(api, model, "friends").json()["data"] == first
    assert CheckpointPermission.objects.count() == 1


def test_whether_an_organization_exists_is_not_told(
    api: Client, model: TunedModel, friends: Client
):
    statuses = [lend(api, model, name).status_code for name in ("friends", "nobody")]
    assert statuses == [200, 200]


@pytest.mark.parametrize(
    "project_ids", [None, [], "friends", [1], [""], ["a" * 101], ["a"] * 101]
)
def test_wrong_ids_are_refused(api: Client, model: TunedModel, project_ids: Any):
    body = {"project_ids": project_ids}
    answer = api.post(path(model), body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "project_ids"


def test_an_unknown_field_is_refused(api: Client, model: TunedModel):
    body = {"project_ids": ["friends"], "until": "tomorrow"}
    answer = api.post(path(model), body, "application/json")
    assert answer.json()["error"]["param"] == "until"


def test_permissions_are_listed_in_pages(api: Client, model: TunedModel):
    permit(model, ["a", "b", "c"])
    page = api.get(f"{path(model)}?limit=2")
    assert projects(page) == ["c", "b"]
    rest = f"{path(model)}?after={page.json()['last_id']}"
    assert projects(api.get(rest)) == ["a"]
    assert projects(api.get(f"{path(model)}?order=ascending")) == ["a", "b", "c"]
    assert projects(api.get(f"{path(model)}?project_id=b")) == ["b"]
    assert api.get(f"{path(model)}?order=asc").status_code == 400


def test_a_base_with_a_slash_in_its_name_has_permissions_too(
    api: Client, organization: Organization
):
    job = make_job(organization=organization, base_model="meta/llama")
    model = make_checkpoint(job).tuned_model
    assert projects(lend(api, model, "friends")) == ["friends"]
