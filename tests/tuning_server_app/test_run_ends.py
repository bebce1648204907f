"""How a run ends or goes on, decided without a training: small stand-ins speak."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from tests.tuning_server_app.factories import error_of, make_job
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import run_folder, run_record, training
from tuning_server_app.services.run_record import ClaimLost, RunRecord
from tuning_server_app.trainer_process import TrainerProcess

S = JobStatus
pytestmark = pytest.mark.django_db


class Ended(TrainerProcess):
    """A trainer that is gone."""

    def __init__(self, folder: Path, exit_code: int, exception: str = "") -> None:
        super().__init__(folder)
        self._ending = exit_code, exception

    def exit_code(self) -> int:
        return self._ending[0]

    def last_exception(self) -> str:
        return self._ending[1]


@pytest.fixture
def job() -> TuningJob:
    return make_job(status=S.RUNNING, claim=uuid4(), heartbeat_at=now(), attempts=1)


def last_message(job: TuningJob) -> str:
    event = job.events.order_by("pk").last()
    return event.message if event else ""


def end(job: TuningJob, process: Ended, *last_words: dict[str, Any]) -> TuningJob:
    record = RunRecord(job)
    for word in last_words:
        record.store(word)
    training._end(record, process)
    job.refresh_from_db()
    return job


def test_what_a_trainer_says_is_wrong_is_the_jobs_error(job: TuningJob, tmp_path: Path):
    error = {"code": "invalid_file", "message": "line 3", "param": "training_file"}
    ended = end(job, Ended(tmp_path, 1), {"type": "failed", **error})
    assert (ended.status, error_of(ended)) == (S.FAILED, error)


def test_a_trainer_that_finished_leaves_a_model(job: TuningJob, tmp_path: Path):
    word = {"type": "finished", "trained_tokens": 9, "folder": "checkpoints/step-1"}
    ended = end(job, Ended(tmp_path, 0), word)
    assert (ended.status, ended.trained_tokens) == (S.SUCCEEDED, 9)


def test_a_trainer_that_saved_for_a_pause_leaves_a_paused_job(
    job: TuningJob, tmp_path: Path, caplog: Any
):
    TuningJob.objects.update(pause_requested_at=now())
    ended = end(job, Ended(tmp_path, 0), {"type": "paused"})
    assert (ended.status, ended.n_lost) == (S.PAUSED, 0)
    assert "died" not in caplog.text


def test_a_trainer_that_goes_without_a_word_is_lost(job: TuningJob, tmp_path: Path):
    ended = end(job, Ended(tmp_path, 0))
    assert (ended.status, ended.n_lost) == (S.QUEUED, 1)


@pytest.mark.parametrize(
    ("exit_code", "exception", "words", "logged"),
    [
        (1, "foo.BadError", "(exit code 1; foo.BadError)", "exception: foo.BadError"),
        (-signal.SIGSEGV, "", "(signal SIGSEGV)", "exception: none"),
        (-signal.SIGKILL, "", "memory ran out)", "exception: none"),
    ],
)
def test_why_a_trainer_died_is_told(
    job: TuningJob,
    tmp_path: Path,
    caplog: Any,
    exit_code: int,
    exception: str,
    words: str,
    logged: str,
):
    end(job, Ended(tmp_path, exit_code, exception))
    assert words in last_message(job)
    assert logged in caplog.text


@pytest.fixture
def queued() -> TuningJob:
    return make_job(status=S.QUEUED)


def train(job: TuningJob, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_run: object) -> None:
        raise error

    monkeypatch.setattr(training, "_run", fail)
    assert training.train(job)
    job.refresh_from_db()


def test_a_run_that_lost_its_job_leaves_it_alone(
    queued: TuningJob, monkeypatch: pytest.MonkeyPatch
):
    train(queued, monkeypatch, ClaimLost())
    assert queued.status == S.RUNNING


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(5, "Input/output error"), "could not write the run's files (Input"),
        (RuntimeError("secret"), "could not run the training"),
    ],
)
def test_a_run_that_fails_here_fails_the_job_and_is_in_the_log(
    queued: TuningJob,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
    error: Exception,
    words: str,
):
    train(queued, monkeypatch, error)
    assert (queued.status, error_of(queued)["code"]) == (S.FAILED, "server_error")
    assert words in error_of(queued)["message"]
    assert "secret" not in error_of(queued)["message"]
    assert f"{queued} failed." in caplog.text


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is asked of a trainer that reports one event, and then is silent once."""
    asked: list[str] = []

    class Trainer(Ended):
        def __init__(self, folder: Path, _device: object) -> None:
            super().__init__(folder, 0)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_error: object) -> None:
            pass

        def events(self) -> Iterator[dict[str, Any] | None]:
            yield {"type": "progress", "message": "Starting"}
            yield None

        def ask_to_pause(self) -> None:
            asked.append("pause")

    monkeypatch.setattr(run_folder, "prepare", lambda _job: tmp_path)
    monkeypatch.setattr(training, "TrainerProcess", Trainer)
    return asked


def on_first_look(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    acts = iter([act])
    monkeypatch.setattr(run_record, "LOOK_SECONDS", -1)
    store = RunRecord.store

    def act_and_store(record: RunRecord, event: dict[str, Any]) -> None:
        next(acts, lambda: None)()
        store(record, event)

    monkeypatch.setattr(RunRecord, "store", act_and_store)


def test_what_a_trainer_reports_is_in_the_jobs_log(
    queued: TuningJob, process: list[str]
):
    training.train(queued)
    assert queued.events.filter(message="Starting").exists()
    assert process == []


def test_the_wish_of_an_owner_reaches_the_trainer(
    queued: TuningJob, process: list[str], monkeypatch: pytest.MonkeyPatch
):
    wish = TuningJob.objects.filter(pk=queued.pk)
    on_first_look(monkeypatch, lambda: wish.update(pause_requested_at=now()))
    training.train(queued)
    assert process == ["pause"]


def test_a_worker_that_ends_gives_the_job_back(
    queued: TuningJob, process: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training.WorkerLife, "is_ending", True)
    training.train(queued)
    queued.refresh_from_db()
    assert (queued.status, queued.n_lost) == (S.QUEUED, 0)
    assert "was stopped" in last_message(queued)
