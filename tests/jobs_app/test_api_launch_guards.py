"""A launch by the REST API: of several rows the one that is named; what it tells."""

import pytest

from jobs_app import services, tasks
from jobs_app.api_errors import Refusal
from jobs_app.api_launch import provider_for
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from tests.factories import (
    make_dataset,
    make_job,
    make_provider,
    make_user,
    make_version,
)
from tests.jobs_app.test_api import call, launcher, team, token, version  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", ids.append)
    return ids


@pytest.fixture
def provider(team):  # noqa: F811
    return make_provider(team=team)


def test_a_worker_is_rung(call, version, provider, rung):  # noqa: F811
    call("POST", "/jobs", {"version": version.pk})
    assert rung == [FineTuningJob.objects.get().pk]


@pytest.mark.parametrize("by", ["version", "dataset"])
def test_what_is_named_is_trained_on(call, team, version, provider, by):  # noqa: F811
    make_version(dataset=make_dataset(team=team))
    named = {"version": version.pk, "dataset": version.dataset.name}[by]
    _status, job = call("POST", "/jobs", {by: named})
    assert job["version_id"] == version.pk


@pytest.mark.parametrize("body", [{"version": 987}, {"dataset": "raw"}])
def test_what_is_not_there_is_named(call, body):  # noqa: F811
    status, answer = call("POST", "/jobs", body)
    [name] = body.values()
    assert status == 404
    assert str(name) in answer["error"]["what"]


@pytest.mark.parametrize(("named", "told"), [("X", "fits “X”"), (None, "fits “any”")])
def test_a_provider_that_is_not_there_is_named(call, version, named, told):  # noqa: F811
    body = {"version": version.pk, "provider": named}
    status, answer = call("POST", "/jobs", body)
    assert status == 404
    assert told in answer["error"]["why"]


def test_nobody_is_given_another_teams_provider(version, provider):  # noqa: F811
    with pytest.raises(Refusal):
        provider_for(make_user(), None, version)


def test_where_there_is_no_model_one_must_be_named(
    call,  # noqa: F811
    version,  # noqa: F811
    provider,
    monkeypatch,
):
    monkeypatch.setattr(services, "base_models", lambda _provider: [])
    type(provider).objects.update(default_base_model="")
    status, answer = call("POST", "/jobs", {"version": version.pk})
    assert status == 422
    assert "base_model" in answer["error"]["what_to_do"]


def test_who_was_second_hears_how_the_job_stands(
    call,  # noqa: F811
    version,  # noqa: F811
    provider,
    monkeypatch,
):
    def launched_meanwhile(*_args, **_kwargs):
        FineTuningJob.objects.update(status=JobStatus.PENDING)
        raise IllegalTransition("Launched already.")

    monkeypatch.setattr(services, "launch_job", launched_meanwhile)
    status, job = call("POST", "/jobs", {"version": version.pk})
    assert (status, job["status"]) == (200, "pending")


def test_a_place_is_told_without_the_frameworks_layers(call, version):  # noqa: F811
    _status, answer = call("POST", "/jobs", {"version": version.pk, "seed": "x"})
    assert answer["error"]["why"].startswith("seed: ")


@pytest.mark.parametrize("value", ["", "it-1"])
def test_what_is_not_known_is_null(call, team, value):  # noqa: F811
    names = ("fine_tuned_model", "remote_id", "remote_status", "poll_problem")
    fields = dict.fromkeys(names, value)
    job = make_job(team=team, status=JobStatus.RUNNING, **fields)
    job.events.create(message="Told.", request_id=value)

    _status, told = call("GET", f"/jobs/{job.pk}")

    assert {told[name] for name in names} == {value or None}
    assert told["events"][0]["request_id"] == (value or None)


def test_of_two_jobs_the_named_one_is_told_of(call, team):  # noqa: F811
    job = make_job(team=team)
    make_job(team=team)
    assert call("GET", f"/jobs/{job.pk}")[1]["id"] == job.pk
