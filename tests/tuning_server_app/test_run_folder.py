"""What a training subprocess finds in its folder."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    BASE,
    chats,
    make_file,
    make_job,
    make_model,
)
from tuning_server_app.models import TuningJob
from tuning_server_app.run_files import STATES, TRAINING_FILE, VALIDATION_FILE
from tuning_server_app.services import run_folder
from tuning_server_app.services.tuned_models import runs_folder
from tuning_server_app.training.run_config import read_run_config

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> TuningJob:
    file = make_file()
    return make_job(
        organization=file.organization, training_file=file.wire_id, attempts=2
    )


@pytest.fixture
def earlier(job: TuningJob) -> Path:
    """The folder of the attempt before, whose state is of step 4."""
    folder = runs_folder() / job.wire_id / "attempt-1"
    save_state(folder, 4)
    return folder


def save_state(attempt: Path, step: int) -> None:
    state = attempt / STATES / f"step-{step}"
    state.mkdir(parents=True)
    for name in ("adapter", "optimizer"):
        (state / name).write_text(f"{name} of step {step}")


def taken(folder: Path) -> dict[str, list[str]]:
    """The names of the files of each state."""
    return {
        state.name: sorted(path.name for path in state.iterdir())
        for state in (folder / STATES).iterdir()
    }


def test_a_run_is_told_the_rate_its_base_model_has_in_the_settings(
    job: TuningJob, settings: Any
):
    settings.TUNING_SERVER_LEARNING_RATES = {BASE: 2e-4}
    config = read_run_config(run_folder.prepare(job))
    assert config.base_model.learning_rate == 2e-4


def test_where_nothing_can_be_linked_it_is_copied(
    job: TuningJob, earlier: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_paths: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    folder = run_folder.prepare(job)
    assert (folder / TRAINING_FILE).read_bytes() == chats()
    assert taken(folder) == {"step-4": ["adapter", "optimizer"]}


def first(act: Callable[[], object], then: Callable[..., Any]) -> Callable[..., Any]:
    """`then`, before whose first call something happens."""
    acts = iter([act])

    def act_and_go_on(*arguments: Any, **options: Any) -> Any:
        next(acts, lambda: None)()
        return then(*arguments, **options)

    return act_and_go_on


def replace_state(earlier: Path, *lost: str) -> None:
    """As the trainer does it that lives a little longer."""
    save_state(earlier, 12)
    for name in lost:
        (earlier / STATES / "step-4" / name).unlink()


@pytest.mark.parametrize("lost", [["optimizer"], ["adapter", "optimizer"]])
def test_a_state_that_is_being_deleted_is_not_taken_for_whole(
    job: TuningJob, earlier: Path, monkeypatch: pytest.MonkeyPatch, lost: list[str]
):
    replaced = first(lambda: replace_state(earlier, *lost), shutil.copytree)
    monkeypatch.setattr(shutil, "copytree", replaced)
    assert taken(run_folder.prepare(job)) == {"step-12": ["adapter", "optimizer"]}


def test_a_state_whose_files_go_while_they_are_linked_is_left_for_the_newer_one(
    job: TuningJob, earlier: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_folder, "_place_file", lambda *_: None)
    replaced = first(lambda: replace_state(earlier, "adapter", "optimizer"), os.link)
    monkeypatch.setattr(os, "link", replaced)
    assert taken(run_folder.prepare(job)) == {"step-12": ["adapter", "optimizer"]}


def test_a_state_that_cannot_be_taken_over_is_no_endless_try(
    job: TuningJob, earlier: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", fail)
    with pytest.raises(OSError, match="No space left"):
        run_folder.prepare(job)


def test_a_file_of_another_organization_is_not_there(job: TuningJob):
    job.training_file = make_file().wire_id
    with pytest.raises(run_folder.Unpreparable, match="was deleted"):
        run_folder.prepare(job)


def test_each_file_of_a_job_is_placed_as_what_it_is(job: TuningJob):
    held_out = make_file(job.organization, chats(3))
    make_file(job.organization, chats(2))
    job.validation_file = held_out.wire_id
    folder = run_folder.prepare(job)
    assert (folder / TRAINING_FILE).read_bytes() == chats()
    assert (folder / VALIDATION_FILE).read_bytes() == chats(3)


def test_a_model_of_another_organization_is_not_trained_further(job: TuningJob):
    job.model = make_model().name
    with pytest.raises(run_folder.Unpreparable, match="no longer there"):
        run_folder.prepare(job)


def test_nothing_of_a_try_that_failed_stays(job: TuningJob):
    folder = runs_folder() / run_folder.name_of(job)
    save_state(folder, 99)
    run_folder.prepare(job)
    assert not (folder / STATES).exists()


def test_a_job_that_never_ran_is_not_looked_for_on_the_disk(
    django_assert_num_queries: Any,
):
    make_job(status="cancelled", finished_at=now(), attempts=0)
    with django_assert_num_queries(1):
        run_folder.clear_ended_runs()
