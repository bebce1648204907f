import time
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from datasets_app.models import Dataset, Example
from jobs_app import follow, services, tasks
from jobs_app.models import FineTuningJob, JobStatus, Provider
from teams_app.access import default_team
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_provider,
    make_team,
    make_version,
)
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.polls import poll

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset(team=default_team(), name="Cards")
    make_version(dataset=dataset, number=1)
    return dataset


@pytest.fixture
def built_in(dataset, fake) -> Provider:
    return make_provider(
        team=default_team(),
        name="Built-in",
        kind="built_in",
        base_url=fake.base_url,
        api_key=API_KEY,
    )


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[int]:
    """Job ids for which a worker was rung."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", ids.append)
    return ids


def launch(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("launch_job", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_newest_version_goes_to_the_built_in_server(dataset, built_in, rung, fake):
    make_provider(team=default_team())
    newest = make_version(dataset=dataset, number=2)

    out, _ = launch("Cards")

    job = FineTuningJob.objects.get()
    assert (job.dataset_version, job.provider) == (newest, built_in)
    assert (job.base_model, job.status) == ("base-model", JobStatus.PENDING)
    assert rung == [job.pk]
    assert f"job {job.pk}" in out
    assert f"http://{fake.host}/jobs/{job.pk}/" in out  # where the built-in server is


def test_every_knob_reaches_the_job(built_in):
    other = make_provider(team=default_team(), name="Other")

    launch(
        *("Cards", "--provider", "Other", "--base-model", "big"),
        *("--epochs", "3", "--batch-size", "auto", "--learning-rate-multiplier", "0.5"),
        *("--suffix", "cards", "--seed", "7", "--dataset-version", "1"),
    )

    job = FineTuningJob.objects.get()
    assert (job.provider, job.base_model) == (other, "big")
    assert (job.suffix, job.seed) == ("cards", 7)
    assert job.hyperparameters == {
        "n_epochs": 3,
        "batch_size": "auto",
        "learning_rate_multiplier": 0.5,
    }


def test_another_team_has_its_own_datasets(built_in):
    make_team(slug="other")

    with pytest.raises(CommandError, match="no dataset"):
        launch("Cards", "--team", "other")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Chess"], "no dataset “Chess”"),
        (["Cards", "--dataset-version", "9"], "no version 9"),
        (["Cards", "--provider", "X"], "no provider “X”.*“Built-in”"),
        (["Cards", "--epochs", "many"], "a number"),
        (["Cards", "--epochs", "99"], "from 1 to 50"),
        (["Cards", "--suffix", "a b"], "suffix"),
        (["Cards", "--team", "none"], "no team"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(built_in, arguments, words):
    with pytest.raises(CommandError, match=words):
        launch(*arguments)
    assert not FineTuningJob.objects.exists()


def test_a_dataset_that_was_never_frozen_says_how_to_freeze_it(built_in):
    make_dataset(team=default_team(), name="New")

    with pytest.raises(CommandError, match=r"\./manage\.py freeze"):
        launch("New")


def test_too_few_rows_are_named(dataset, built_in):
    make_version(dataset=dataset, number=2, training=chat_lines(4))

    with pytest.raises(CommandError, match="4 training rows"):
        launch("Cards")


def test_among_several_foreign_providers_one_must_be_named(dataset):
    make_provider(team=default_team(), name="A")
    make_provider(team=default_team(), name="B")

    with pytest.raises(CommandError, match="--provider: “A”, “B”"):
        launch("Cards")


def test_rows_changed_since_the_freeze_are_pointed_out(dataset, built_in):
    _, err = launch("Cards")
    assert "has changed" not in err
    Example.objects.create(dataset=dataset, messages=[], content_hash="x")

    _, err = launch("Cards")

    assert "has changed" in err
    assert "./manage.py freeze" in err


def while_waiting(monkeypatch, act) -> None:
    """Let `act` happen whenever the command would sleep; the same thread does both."""
    clock = SimpleNamespace(sleep=lambda seconds: act(), monotonic=time.monotonic)
    monkeypatch.setattr(follow, "time", clock)


@pytest.fixture
def working(request, fake, monkeypatch) -> None:
    """A worker brings every launched job to the status that the test names."""

    def work() -> None:
        for job in FineTuningJob.objects.filter(status=JobStatus.PENDING):
            services.submit_job(job)
        for job in FineTuningJob.objects.exclude(remote_id=""):
            remote = fake.jobs[job.remote_id]
            remote |= {"status": request.param, "error": {"message": "Out of luck"}}
            if request.param == "succeeded":
                remote["fine_tuned_model"] = "ft:base-model:org::1"
            poll(job)

    while_waiting(monkeypatch, work)


@pytest.mark.parametrize("working", ["succeeded"], indirect=True)
def test_with_wait_the_last_line_is_the_models_name(built_in, working):
    out, err = launch("Cards", "--wait")

    assert out.splitlines()[-1] == "ft:base-model:org::1"
    assert built_in.base_url in err
    assert './manage.py ask ft:base-model:org::1 "…"' in err
    assert "succeeded" in err


@pytest.mark.parametrize("working", ["failed"], indirect=True)
def test_with_wait_a_failure_is_an_error_with_its_reason(built_in, working):
    with pytest.raises(CommandError, match="failed: Out of luck") as raised:
        launch("Cards", "--wait")
    assert raised.value.returncode == 1


def interrupt() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_leaves_the_job_running_and_says_so(built_in, monkeypatch):
    while_waiting(monkeypatch, interrupt)

    with pytest.raises(CommandError, match="goes on"):
        launch("Cards", "--wait")
    assert FineTuningJob.objects.get().status == JobStatus.PENDING


def test_when_nobody_works_the_follower_says_how_to_mend_it(monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0)
    err = StringIO()

    follow.Follower(make_job(status=JobStatus.PENDING), err).show()

    assert "Nobody is working" in err.getvalue()


def test_a_beating_worker_is_not_complained_of(monkeypatch, all_alive):
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0)
    err = StringIO()

    follow.Follower(make_job(status=JobStatus.PENDING), err).show()

    assert err.getvalue() == ""


def test_progress_and_loss_are_shown(capsys):
    job = make_job(status=JobStatus.RUNNING)
    data = {"step": 3, "total_steps": 12, "train_loss": 0.5}
    job.events.create(type="metrics", message="Step 3", data=data)
    follower = follow.Follower(job, StringIO())

    follower.show()
    assert follower.bar is not None
    follower.bar.close()

    shown = capsys.readouterr().err
    assert "3/12" in shown
    assert "loss=0.500" in shown


def test_a_problem_at_the_provider_is_told_once(monkeypatch):
    later = now() + timedelta(minutes=1)
    problem = {"poll_problem": "The server is full.", "next_poll_at": later}
    err = StringIO()
    follower = follow.Follower(make_job(status=JobStatus.PENDING, **problem), err)

    follower.show()
    follower.show()

    assert err.getvalue().count("The server is full.") == 1
