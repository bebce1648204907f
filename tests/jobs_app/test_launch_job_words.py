"""What the launch command tells, and which of several rows it takes."""

from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from datasets_app.models import Example, VersionRow
from jobs_app import follow, tasks
from jobs_app.management.commands import launch_job
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.access import default_team
from tests.factories import (
    make_dataset,
    make_example,
    make_job,
    make_provider,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(monkeypatch):
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", lambda _pk: None)
    return make_dataset(team=default_team(), name="Cards")


@pytest.fixture
def example(dataset):
    """A row, and the version that was frozen with it."""
    example = make_example(dataset=dataset)
    version = make_version(dataset=dataset, number=1)
    place = {"split": "train", "line_number": 1, "offset": 0, "content_hash": "x"}
    VersionRow.objects.create(version=version, example=example, **place)
    VersionRow.objects.create(version=version, **{**place, "line_number": 2})
    make_provider(team=dataset.team, name="Only")
    return example


def launch(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("launch_job", "Cards", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_rows_as_they_were_frozen_are_not_complained_of(example):
    assert "has changed" not in launch()[1]


@pytest.mark.parametrize("way", ["changed", "binned", "deleted"])
def test_a_row_that_is_not_as_it_was_frozen_is_pointed_out(example, way):
    make_example()  # another one, of another dataset
    found = Example.objects.filter(pk=example.pk)
    if way == "deleted":
        found.delete()
    else:
        field = {"changed": "updated_at", "binned": "deleted_at"}[way]
        found.update(**{field: now()})
    assert "has changed" in launch()[1]


def test_whoever_names_a_version_wants_that_one(example):
    Example.objects.update(updated_at=now())
    make_version(dataset=example.dataset, number=2)

    _out, err = launch("--dataset-version", "1")

    assert FineTuningJob.objects.get().dataset_version.number == 1
    assert "has changed" not in err


def test_another_datasets_rows_do_not_count(example):
    make_example()
    Example.with_deleted.filter(pk=make_example().pk).update(deleted_at=now())
    assert "has changed" not in launch()[1]


def test_without_any_model_one_must_be_named(dataset):
    make_version(dataset=dataset)
    make_provider(team=dataset.team, default_base_model="")
    with pytest.raises(CommandError, match="--base-model"):
        launch()
    launch("--base-model", "m")
    assert FineTuningJob.objects.get().hyperparameters == {}


def test_a_launch_that_waits_for_a_second_person_says_so(example):
    out, err = launch()
    assert "Launched job" in out
    assert "Estimate: " in err
    assert "must approve" not in err
    team = example.dataset.team
    team.approve_always = True
    team.save()

    out, err = launch()

    assert "Asked to launch job" in out
    assert "must approve" in err


class TestProvider:
    def test_the_one_that_is_so_named_in_the_team(self):
        make_provider(name="B")
        team = default_team()
        wanted = [make_provider(team=team, name=name) for name in "AB"][1]
        assert launch_job.find_provider(team, "B") == wanted

    def test_the_only_one_of_the_team(self):
        make_provider(kind="built_in")
        only = make_provider()
        assert launch_job.find_provider(only.team, None) == only

    def test_a_team_without_any_is_told_so(self):
        with pytest.raises(CommandError, match="--provider: none"):
            launch_job.find_provider(default_team(), None)


@pytest.mark.parametrize(
    ("kind", "tokens", "price", "told"),
    [
        ("openai", None, None, "still being counted"),
        ("built_in", 1000, None, "1,000 tokens in 3 epochs; on the built-in server"),
        ("openai", 1000, None, "no price for base-model"),
        ("openai", 1_000_000, Decimal(2), "about 2.00 USD."),
    ],
)
def test_the_estimate_is_a_sentence(kind, tokens, price, told):
    expected = {"estimated_epochs": 3, "estimated_tokens": tokens}
    given = {"provider": make_provider(kind=kind), "usd_per_million_tokens": price}
    assert told in launch_job.estimate_sentence(make_job(**expected, **given))


def ended(status: str, **fields) -> tuple[str, str]:
    """What the command tells of a job that is over."""
    kind = fields.pop("kind", "openai")
    job = make_job(status=status, provider=make_provider(kind=kind), **fields)
    if status == JobStatus.DECLINED:
        job.approvals.create(comment="Too dear.", is_approved=False, decided_at=now())
    out, err = StringIO(), StringIO()
    launch_job.Command(stdout=out, stderr=err).follow(job)
    return out.getvalue(), err.getvalue()


def test_the_last_line_is_the_models_name():
    out, err = ended(JobStatus.SUCCEEDED, fine_tuned_model="ft:x")
    assert out == "ft:x\n"
    assert "Base URL: https://models.example/v1" in err
    assert "manage.py ask" not in err


def test_a_model_here_is_asked_by_a_command():
    _out, err = ended(JobStatus.SUCCEEDED, fine_tuned_model="ft:x", kind="built_in")
    assert "manage.py ask ft:x" in err


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (JobStatus.FAILED, {"message": "Out of luck."}, "failed: Out of luck."),
        (JobStatus.FAILED, {}, "failed: no reason was given"),
        (JobStatus.DECLINED, {}, "declined: Too dear."),
        (JobStatus.CANCELLED, {}, "cancelled$"),
    ],
)
def test_whatever_is_no_success_is_an_error(status, error, told):
    with pytest.raises(CommandError, match=told):
        ended(status, error=error)


def test_who_stops_watching_gets_the_code_of_an_interruption(monkeypatch):
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    clock = SimpleNamespace(sleep=interrupt, monotonic=lambda: 0.0)
    monkeypatch.setattr(follow, "time", clock)
    with pytest.raises(CommandError, match="goes on") as raised:
        ended(JobStatus.RUNNING)
    assert raised.value.returncode == 130
