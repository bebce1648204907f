"""The training subprocess, the real one: what happens when it dies, hangs or stops.

None of these runs comes to the point where torch is needed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.signals import post_save
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    error_of,
    make_file,
    make_job,
    make_model,
    make_organization,
)
from tuning_server_app import file_store, trainer_process
from tuning_server_app.models import JobEvent, JobStatus, TuningJob
from tuning_server_app.run_files import CHECKPOINTS, STATES
from tuning_server_app.services import jobs, run_folder, training
from tuning_server_app.services.files import delete_file
from tuning_server_app.services.pausing import pause_job
from tuning_server_app.services.queue import MAX_LOST, requeue_job
from tuning_server_app.services.run_record import RunRecord
from tuning_server_app.services.tuned_models import runs_folder
from tuning_server_app.trainer_process import TrainerProcess

pytestmark = pytest.mark.django_db
LAUNCHER = [
    sys.executable,
    "-c",
    "import subprocess, sys, time\n"
    "child = [sys.executable, '-c', 'import sys; sys.stdin.read()']\n"
    "subprocess.Popen(child, start_new_session=True)\n"
    'print(\'{"type": "progress"}\', flush=True)\n'
    "time.sleep(600)",
]


@pytest.fixture
def job() -> TuningJob:
    organization = make_organization()
    file = make_file(organization)
    return make_job(
        organization=organization, status="queued", training_file=file.wire_id
    )


@pytest.fixture
def pids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process id of every trainer that the test starts."""
    found: list[int] = []

    class Noted(TrainerProcess):
        def __enter__(self):
            entered = super().__enter__()
            found.append(self._process.pid)
            return entered

    monkeypatch.setattr(training, "TrainerProcess", Noted)
    return found


@pytest.fixture
def when_started() -> Any:
    """Calls what it is given as soon as the trainer has reported its first event."""
    listeners: list[Callable[..., None]] = []

    def call(act: Callable[[], object]) -> None:
        def listener(instance: JobEvent, **_kwargs: Any) -> None:
            if instance.message == "Starting the trainer":
                act()

        post_save.connect(listener, sender=JobEvent, weak=False)
        listeners.append(listener)

    yield call
    for listener in listeners:
        post_save.disconnect(listener, sender=JobEvent)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def messages(job: TuningJob) -> list[str]:
    return [event.message for event in job.events.order_by("pk")]


def test_a_job_whose_trainer_is_killed_waits_for_another_one(
    job: TuningJob, pids: list[int], when_started: Any
):
    when_started(lambda: os.kill(pids[0], signal.SIGKILL))
    training.train(job)
    assert (job.status, job.n_lost) == (JobStatus.QUEUED, 1)
    assert "memory ran out" in messages(job)[-1]


def test_a_job_whose_trainer_is_killed_every_time_fails(
    job: TuningJob, pids: list[int], when_started: Any
):
    TuningJob.objects.update(n_lost=MAX_LOST)
    job.refresh_from_db()
    when_started(lambda: os.kill(pids[0], signal.SIGKILL))
    training.train(job)
    assert job.status == JobStatus.FAILED
    assert error_of(job)["code"] == "server_error"
    assert "lost its trainer 4 times" in error_of(job)["message"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_was_to_pause_is_paused_when_its_trainer_dies(
    job: TuningJob, pids: list[int], when_started: Any, number: signal.Signals
):
    def pause_and_kill() -> None:
        pause_job(TuningJob.objects.get(pk=job.pk))
        os.kill(pids[0], number)

    when_started(pause_and_kill)
    training.train(job)
    assert (job.status, job.n_lost) == (JobStatus.PAUSED, 0)


class Killed(TrainerProcess):
    def exit_code(self) -> int:
        return -signal.SIGKILL

    def last_exception(self) -> str:
        return ""


@pytest.mark.parametrize("last_word", ["finished", "paused"])
def test_a_trainer_that_dies_after_its_last_word_is_not_believed(
    job: TuningJob, tmp_path: Path, last_word: str
):
    job.move_to(JobStatus.RUNNING, "taken", claim=uuid4(), heartbeat_at=now())
    record = RunRecord(job)
    record.store({"type": last_word, "trained_tokens": 1, "folder": "checkpoints"})
    training._end(record, Killed(tmp_path))
    assert (job.status, job.n_lost) == (JobStatus.QUEUED, 1)


def test_a_job_that_another_trainer_has_is_not_taken_from_it(
    job: TuningJob, tmp_path: Path
):
    job.move_to(JobStatus.RUNNING, "taken", claim=uuid4(), heartbeat_at=now())
    TuningJob.objects.update(claim=uuid4())
    training._report_death(job, Killed(tmp_path), -signal.SIGKILL)
    assert (job.status, job.n_lost) == (JobStatus.RUNNING, 0)


def test_a_job_cancelled_as_its_trainer_dies_stays_cancelled(
    job: TuningJob, pids: list[int], when_started: Any
):
    def cancel_and_kill() -> None:
        jobs.cancel_job(TuningJob.objects.get(pk=job.pk))
        os.kill(pids[0], signal.SIGKILL)

    when_started(cancel_and_kill)
    training.train(job)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_trainer_that_is_stopped_gives_its_job_back(
    job: TuningJob, pids: list[int], when_started: Any
):
    when_started(lambda: os.kill(pids[0], signal.SIGTERM))
    training.train(job)
    assert (job.status, job.n_lost) == (JobStatus.QUEUED, 0)
    assert "The trainer was stopped." in messages(job)[-1]


def test_a_cancelled_job_stops_its_trainer(
    job: TuningJob,
    pids: list[int],
    when_started: Any,
    caplog: pytest.LogCaptureFixture,
):
    when_started(lambda: jobs.cancel_job(TuningJob.objects.get(pk=job.pk)))
    began = time.monotonic()
    training.train(job)
    assert time.monotonic() - began < 10
    assert not is_alive(pids[0])
    assert not [line for line in caplog.records if line.levelname == "ERROR"]
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert messages(job)[-1] in ("The job was cancelled", "Starting the trainer")


def test_a_trainer_that_hears_nothing_any_more_is_killed(
    job: TuningJob, pids: list[int], when_started: Any
):
    def freeze_and_cancel() -> None:
        os.kill(pids[0], signal.SIGSTOP)  # SIGTERM now waits for ever
        jobs.cancel_job(TuningJob.objects.get(pk=job.pk))

    when_started(freeze_and_cancel)
    began = time.monotonic()
    training.train(job)
    assert trainer_process.STOP_SECONDS <= time.monotonic() - began < 15
    assert not is_alive(pids[0])


def test_a_trainer_believed_dead_changes_nothing_any_more(
    job: TuningJob, when_started: Any
):
    def lose() -> None:
        requeue_job(TuningJob.objects.get(pk=job.pk), "The trainer stopped answering.")

    when_started(lose)
    training.train(job)
    assert job.events.filter(message="Starting the trainer").exists()
    job.refresh_from_db()
    assert (job.status, job.claim) == (JobStatus.QUEUED, None)


def test_a_trainer_whose_worker_died_stops(
    job: TuningJob, pids: list[int], when_started: Any, monkeypatch: Any
):
    when_started(lambda: monkeypatch.setattr(os, "getppid", lambda: -1))
    training.train(job)
    assert not is_alive(pids[0])
    assert job.status == JobStatus.QUEUED


def test_a_worker_that_is_stopped_gives_its_job_back(
    job: TuningJob, pids: list[int], when_started: Any
):
    before = signal.getsignal(signal.SIGTERM)
    when_started(lambda: os.kill(os.getpid(), signal.SIGTERM))
    training.train(job)
    assert not is_alive(pids[0])
    assert (job.status, job.n_lost) == (JobStatus.QUEUED, 0)
    assert signal.getsignal(signal.SIGTERM) == before


def test_of_two_trainers_only_one_takes_the_job(
    job: TuningJob, pids: list[int], when_started: Any
):
    copy = TuningJob.objects.get(pk=job.pk)
    when_started(lambda: training.train(copy))
    when_started(lambda: os.kill(pids[0], signal.SIGKILL))
    training.train(job)
    assert len(pids) == 1


def test_a_job_that_rings_again_while_it_runs_is_left_alone(pids: list[int]):
    running = make_job(status="running", claim="0" * 32)
    training.train(running)
    assert pids == []
    assert not running.events.exists()


def run_folder_of(job: TuningJob, attempt: int) -> Path:
    return runs_folder() / job.wire_id / f"attempt-{attempt}"


def save_state(attempt: Path, step: int) -> None:
    state = attempt / STATES / f"step-{step}"
    state.mkdir(parents=True)
    (state / "optimizer.pt").write_text(f"of step {step}")


@pytest.mark.parametrize("steps", [(4, 12), (12, 4)])
def test_the_next_attempt_takes_over_the_newest_state(
    job: TuningJob, pids: list[int], when_started: Any, steps: tuple[int, int]
):
    for attempt, step in enumerate(steps, start=1):
        save_state(run_folder_of(job, attempt), step)
    TuningJob.objects.update(attempts=2)
    job.refresh_from_db()
    when_started(lambda: os.kill(pids[0], signal.SIGTERM))
    training.train(job)
    taken = run_folder_of(job, 3) / STATES
    assert [path.name for path in taken.iterdir()] == ["step-12"]
    assert (taken / "step-12" / "optimizer.pt").read_text() == "of step 12"
    assert not (run_folder_of(job, 2) / STATES).exists()


def test_weights_of_an_earlier_attempt_stay_while_they_have_a_name(
    job: TuningJob, pids: list[int], when_started: Any
):
    earlier = run_folder_of(job, 1) / CHECKPOINTS
    for step in ("step-4", "step-8"):
        (earlier / step).mkdir(parents=True)
    make_model(job, adapter=f"{job.wire_id}/attempt-1/checkpoints/step-4")
    TuningJob.objects.update(attempts=1)
    job.refresh_from_db()
    when_started(lambda: os.kill(pids[0], signal.SIGTERM))
    training.train(job)
    assert [path.name for path in earlier.iterdir()] == ["step-4"]


def test_an_ended_job_keeps_no_state():
    ended = make_job(status="cancelled", finished_at=now(), attempts=1)
    waiting = make_job(status="paused", attempts=1)
    for each in (ended, waiting):
        save_state(run_folder_of(each, 1), 4)
    run_folder.clear_ended_runs()
    assert not (run_folder_of(ended, 1) / STATES).exists()
    assert (run_folder_of(waiting, 1) / STATES).exists()


def test_the_training_data_does_not_stay_in_the_runs_folder(
    job: TuningJob, pids: list[int], when_started: Any
):
    when_started(lambda: os.kill(pids[0], signal.SIGKILL))
    training.train(job)
    folder = runs_folder() / job.wire_id / "attempt-1"
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "trainer.log"]


def test_a_file_deleted_before_the_training_fails_the_job(job: TuningJob):
    delete_file(job.organization.file_set.get())
    training.train(job)
    assert job.status == JobStatus.FAILED
    assert "was deleted before the training began" in error_of(job)["message"]


def test_a_file_whose_content_is_gone_fails_the_job(job: TuningJob):
    file_store.remove(job.organization.file_set.get().blob)
    training.train(job)
    assert "is gone from the server's disk" in error_of(job)["message"]


def test_a_folder_that_cannot_be_written_fails_the_job(job: TuningJob):
    runs_folder().parent.mkdir(parents=True, exist_ok=True)
    runs_folder().touch()  # a file where the folder should be
    training.train(job)
    assert job.status == JobStatus.FAILED
    assert "could not write the run's files" in error_of(job)["message"]


def test_the_trainer_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_KEY", "hidden")
    monkeypatch.setenv("DATABASE_URL", "postgres://hidden")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with TrainerProcess(tmp_path) as process:
        next(event for event in process.events() if event)  # it runs by now
        environment = Path(f"/proc/{process._process.pid}/environ").read_text()
    assert "OMP_NUM_THREADS=2" in environment
    assert "hidden" not in environment


def test_what_a_launcher_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It has a session of its own, and keeps what it inherited open."""
    monkeypatch.setattr(trainer_process, "_command", lambda *_: LAUNCHER)
    process = TrainerProcess(tmp_path).__enter__()
    next(event for event in process.events() if event)
    leaving = threading.Thread(target=process.__exit__, args=[None] * 3, daemon=True)
    leaving.start()
    leaving.join(60)
    assert not leaving.is_alive()


def test_of_the_log_only_the_name_of_the_exception_is_told(tmp_path: Path):
    log = "Traceback (most recent call last):\n  File x\nfoo.BadError: private chat\n"
    (tmp_path / "trainer.log").write_text(log)
    assert TrainerProcess(tmp_path).last_exception() == "foo.BadError"
