import math
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from jobs_app import services
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import ProviderUnavailable
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_provider,
    make_user,
    make_version,
)
from tests.jobs_app.polls import poll

pytestmark = pytest.mark.django_db


def create(**overrides) -> FineTuningJob:
    provider = overrides.pop("provider", None) or make_provider()
    if "dataset_version" not in overrides:
        dataset = make_dataset(team=provider.team)
        overrides["dataset_version"] = make_version(dataset=dataset)
    defaults: dict[str, Any] = {
        "base_model": "base-model",
        "hyperparameters": {},
        "by": None,
    }
    return services.create_job(provider=provider, **{**defaults, **overrides})


def test_a_new_job_is_a_draft_of_the_providers_team():
    job = create(hyperparameters={"n_epochs": 3, "batch_size": "auto"}, seed=0)

    assert job.status == JobStatus.DRAFT
    assert job.team == job.provider.team


def test_the_same_launch_key_gives_the_same_job_back():
    provider, key = make_provider(), uuid4()

    first = create(provider=provider, launch_key=key)
    again = create(provider=provider, launch_key=key)

    assert first == again
    assert FineTuningJob.objects.count() == 1


def test_a_launch_key_that_arrives_twice_at_once_makes_one_job(monkeypatch):
    provider, key = make_provider(), uuid4()
    rival = make_job(provider=provider)

    def rival_is_first(self: FineTuningJob) -> None:
        FineTuningJob.objects.filter(pk=rival.pk).update(launch_key=key)

    monkeypatch.setattr(FineTuningJob, "full_clean", rival_is_first)

    assert create(provider=provider, launch_key=key) == rival


def test_another_teams_launch_key_gives_nothing_away():
    theirs = create()

    with pytest.raises(ValidationError, match="launch key"):
        create(launch_key=theirs.launch_key)


def test_a_version_of_another_team_is_refused():
    with pytest.raises(ValidationError, match="different teams"):
        create(dataset_version=make_version())


def test_fewer_rows_than_ten_are_refused_and_the_way_out_is_named():
    provider = make_provider()
    dataset = make_dataset(team=provider.team)
    short = make_version(dataset=dataset, training=chat_lines(9))

    with pytest.raises(ValidationError, match="9 training rows.*at least 10"):
        create(provider=provider, dataset_version=short)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", 0),
        ("n_epochs", 51),
        ("n_epochs", 2.5),
        ("n_epochs", True),
        ("n_epochs", "3"),
        ("n_epochs", None),
        ("batch_size", 0),
        ("batch_size", 257),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", -1),
        ("learning_rate_multiplier", math.inf),
        ("learning_rate_multiplier", math.nan),
        ("learning_rate_multiplier", True),
        ("n_epoch", 3),
    ],
)
def test_hyperparameters_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ValidationError) as raised:
        create(hyperparameters={name: value})
    assert name in str(raised.value.message_dict["hyperparameters"])


def test_a_number_longer_than_any_float_is_refused():
    with pytest.raises(ValidationError, match="between"):
        create(hyperparameters={"learning_rate_multiplier": 10**400})


@pytest.mark.parametrize("value", [[], "n_epochs", 3, None])
def test_hyperparameters_are_an_object(value):
    with pytest.raises(ValidationError):
        create(hyperparameters=value)


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 0.01},
        {"n_epochs": 50, "batch_size": 256, "learning_rate_multiplier": 7},
        {"n_epochs": "auto"},
    ],
)
def test_hyperparameters_at_the_edge_are_accepted(hyperparameters):
    assert create(hyperparameters=hyperparameters).pk


@pytest.mark.parametrize("suffix", ["x" * 65, "a:b", "a/b", "a b", "a\n"])
def test_a_suffix_that_would_break_the_models_name_is_refused(suffix):
    with pytest.raises(ValidationError) as raised:
        create(suffix=suffix)
    assert "suffix" in raised.value.message_dict


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValidationError) as raised:
        create(seed=seed)
    assert "seed" in raised.value.message_dict


def test_a_launch_hands_the_job_to_the_workers_and_says_who_did():
    job = create()

    assert services.launch_job(job, by=make_user(username="mina"))

    assert job.status == JobStatus.PENDING
    assert job.launched_at is not None
    event = job.events.get()
    assert event.message == "draft → pending by mina"
    assert event.created_by is not None
    assert event.created_by.username == "mina"


def test_a_second_launch_is_told_of_the_first():
    job = create()
    services.launch_job(job, by=None)

    with pytest.raises(IllegalTransition, match="pending"):
        services.launch_job(job, by=None)


def test_of_two_people_who_launch_at_once_one_does():
    job = create()
    copy = FineTuningJob.objects.get(pk=job.pk)

    assert services.launch_job(job, by=None)
    assert not services.launch_job(copy, by=None)
    assert job.events.count() == 1


def test_a_pending_job_is_cancelled_at_once():
    job = make_job(status=JobStatus.PENDING)

    services.cancel_job(job, by=None)

    assert job.status == JobStatus.CANCELLED
    assert job.finished_at is not None


@pytest.mark.parametrize("status", [JobStatus.DRAFT, JobStatus.SUCCEEDED])
def test_what_does_not_run_cannot_be_cancelled(status):
    with pytest.raises(IllegalTransition, match=status):
        services.cancel_job(make_job(status=status), by=None)


def test_a_running_job_is_cancelled_at_its_provider(provider, fake):
    remote = fake.add_job(status="running")
    job = make_job(provider=provider, status=JobStatus.RUNNING, remote_id=remote["id"])

    mina = make_user(username="mina")
    services.cancel_job(job, by=mina)

    assert job.status == JobStatus.CANCELLED
    assert fake.jobs[remote["id"]]["status"] == "cancelled"
    assert job.events.filter(message="cancel requested by mina").exists()
    assert job.events.order_by("-pk")[0].created_by == mina


def test_a_cancel_that_did_not_get_through_is_repeated_by_the_poll(provider, fake):
    remote = fake.add_job(status="running")
    job = make_job(provider=provider, status=JobStatus.RUNNING, remote_id=remote["id"])
    fake.answers("POST", ".*/cancel", 500, {})
    mina = make_user(username="mina")
    with pytest.raises(ProviderUnavailable):
        services.cancel_job(job, by=mina)
    assert fake.jobs[remote["id"]]["status"] == "running"

    poll(job)

    assert job.status == JobStatus.CANCELLED
    assert job.events.order_by("-pk")[0].created_by == mina


def test_a_cancel_that_comes_after_the_end_finds_the_end(provider, fake):
    remote = fake.add_job(status="succeeded", fine_tuned_model="ft:x")
    fake.refuses("POST", ".*/cancel", 400, "Job has already succeeded")
    job = make_job(
        provider=provider,
        status=JobStatus.RUNNING,
        remote_id=remote["id"],
        cancel_requested_at="2026-11-22T09:00:00Z",
    )

    poll(job)

    assert job.status == JobStatus.SUCCEEDED
