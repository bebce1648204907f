"""Names that stand for other models, so that code written for OpenAI runs as it is."""

from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import (
    BASE,
    make_file,
    make_job,
    make_model,
    make_organization,
)
from tuning_server_app.checks import check_tuning_server
from tuning_server_app.models import Organization, TunedModel, TuningJob
from tuning_server_app.services.tuned_models import find_weights_of

ALIAS = "gpt-4o-mini-2024-07-18"
NOBODY = TunedModel.objects.none


@pytest.fixture(autouse=True)
def _alias(settings: Any) -> None:
    settings.TUNING_SERVER_MODEL_ALIASES = {ALIAS: BASE}


def create(api: Client, organization: Organization, **fields: Any) -> Any:
    body = {"model": ALIAS, "training_file": make_file(organization).wire_id, **fields}
    return api.post("/v1/fine_tuning/jobs", body, "application/json").json()


def test_a_job_says_which_model_an_alias_is(api: Client, organization: Organization):
    job = create(api, organization)
    assert job["model"] == BASE
    row = TuningJob.objects.get()
    assert row.base_model == BASE
    assert row.model_prefix.startswith(f"ft:{BASE}:acme:")
    events = [event.message for event in row.events.order_by("pk")]
    assert events[1].startswith(f"{ALIAS} is a name for {BASE} on this server")


def test_an_alias_is_listed_as_what_it_is(api: Client):
    models = {model["id"]: model for model in api.get("/v1/models").json()["data"]}
    assert set(models) == {BASE, ALIAS}
    assert models[ALIAS]["alias_of"] == BASE
    assert api.get(f"/v1/models/{ALIAS}").json() == models[ALIAS]


def test_an_alias_cannot_be_deleted(api: Client):
    assert api.delete(f"/v1/models/{ALIAS}").status_code == 403


def test_an_alias_of_a_tuned_model_is_its_owners_alone(
    api: Client, organization: Organization, settings: Any
):
    own = make_model(make_job(organization=organization))
    foreign = make_model(make_job(organization=make_organization()))
    settings.TUNING_SERVER_MODEL_ALIASES = {
        "ft:gpt-4o-mini:acme::mine": own.name,
        "ft:gpt-4o-mini:other::theirs": foreign.name,
    }
    listed = {model["id"] for model in api.get("/v1/models").json()["data"]}
    assert listed == {BASE, own.name, "ft:gpt-4o-mini:acme::mine"}
    job = create(api, organization, model="ft:gpt-4o-mini:acme::mine")
    assert job["model"] == own.name
    refused = create(api, organization, model="ft:gpt-4o-mini:other::theirs")
    assert refused["error"]["code"] == "model_not_found"


@pytest.mark.django_db
def test_a_models_own_name_goes_before_an_alias(settings: Any):
    tuned = make_model()
    settings.TUNING_SERVER_MODEL_ALIASES = {tuned.name: BASE}
    found = find_weights_of(tuned.name, TunedModel.objects.all())
    assert found is not None
    assert found.adapter == tuned.adapter


@pytest.mark.django_db
@pytest.mark.parametrize("target", [ALIAS, "gone", ""])
def test_an_alias_that_leads_nowhere_is_no_model(settings: Any, target: str):
    settings.TUNING_SERVER_MODEL_ALIASES = {ALIAS: target}
    assert find_weights_of(ALIAS, NOBODY()) is None


def test_a_refusal_names_what_there_is(api: Client, organization: Organization):
    error = create(api, organization, model="gpt-9")["error"]
    assert f"This server has {BASE}, {ALIAS}, and" in error["message"]


@pytest.mark.parametrize(
    ("alias", "target"), [(BASE, BASE), (ALIAS, "gone"), (ALIAS, ALIAS)]
)
def test_an_alias_that_cannot_be_is_named_at_the_start(
    settings: Any, alias: str, target: str
):
    settings.TUNING_SERVER_MODEL_ALIASES = {alias: target}
    assert [found.id for found in check_tuning_server()] == ["tuning_server.E004"]


def test_an_alias_of_a_tuned_model_may_be(settings: Any):
    settings.TUNING_SERVER_MODEL_ALIASES = {ALIAS: "ft:tiny:acme::abc"}
    assert check_tuning_server() == []


def test_a_refusal_names_no_alias_of_a_tuned_model(
    api: Client, organization: Organization, settings: Any
):
    settings.TUNING_SERVER_MODEL_ALIASES = {"ft:gpt:other::theirs": make_model().name}
    assert "theirs" not in create(api, organization, model="gpt-9")["error"]["message"]
