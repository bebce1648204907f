"""One trainer's work on one job: claim it, run the subprocess, record how it ended."""

import logging
import signal
import uuid

from django.db.models import F
from django.utils.timezone import now

from tuning_server_app.devices import Device, take_device
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import run_folder
from tuning_server_app.services.jobs import SERVER_ERROR, fail_job
from tuning_server_app.services.pausing import stand_still
from tuning_server_app.services.queue import (
    give_back,
    queued_jobs_in_fair_order,
    requeue_job,
)
from tuning_server_app.services.run_record import ClaimLost, RunRecord
from tuning_server_app.trainer_process import ANY_DEVICE, STOPPED, TrainerProcess
from tuning_server_app.worker_life import WorkerEnding, WorkerLife

logger = logging.getLogger(__name__)


def train_next() -> TuningJob | None:
    """Train the job whose turn it is, if one waits and a device is free.

    Returns:
        the job, now ended or waiting again.
    """
    with take_device() as device:
        if device is None:
            return None
        queue = queued_jobs_in_fair_order()
        return next((job for job in queue if train(job, device)), None)


def train(job: TuningJob, device: Device = ANY_DEVICE) -> bool:
    """Train the job to its end, unless another trainer has it; then do nothing."""
    if not _claim(job):
        return False
    try:
        _run(job, device)
    except ClaimLost:
        logger.info("%s is no longer ours: cancelled, or queued again.", job)
    except run_folder.Unpreparable as error:
        fail_job(job, code=SERVER_ERROR, message=str(error), param=None)
    except WorkerEnding:
        _give_back(job)
    except OSError as error:
        logger.exception("%s failed.", job)
        fail_job(job, code=SERVER_ERROR, message=_disk_error(error), param=None)
    except Exception:  # the end of a run: whatever it was, the job's owner hears of it
        logger.exception("%s failed.", job)
        fail_job(
            job,
            code=SERVER_ERROR,
            message="The server could not run the training. Its operator finds the"
            " reason in the trainer's log; then start the job again as a new one.",
            param=None,
        )
    return True


def _claim(job: TuningJob) -> bool:
    return job.status == JobStatus.QUEUED and job.move_to(
        JobStatus.RUNNING,
        "Fine-tuning job started",
        claim=uuid.uuid4(),
        heartbeat_at=now(),
        started_at=now(),
        attempts=F("attempts") + 1,
    )


def _run(job: TuningJob, device: Device) -> None:
    folder = run_folder.prepare(job)
    record = RunRecord(job)
    try:
        with WorkerLife() as worker, TrainerProcess(folder, device) as process:
            for event in process.events():
                if worker.is_ending:
                    raise WorkerEnding
                record.keep_alive()
                if record.is_pause_wanted:
                    process.ask_to_pause()
                if event is not None:
                    record.store(event)
            _end(record, process)
    finally:
        run_folder.tidy(folder)


def _end(record: RunRecord, process: TrainerProcess) -> None:
    exit_code = process.exit_code()
    if record.failed is not None:
        fail_job(
            record.job,
            code=record.failed["code"],
            message=record.failed["message"],
            param=record.failed["param"],
        )
    elif record.finished is not None and exit_code == 0:
        record.succeed(record.finished)
    elif record.paused is not None and exit_code == 0:
        stand_still(record.job)
    elif exit_code in STOPPED:  # not by us: the whole server is being stopped
        _give_back(record.job)
    else:
        _report_death(record.job, process, exit_code)


def _give_back(job: TuningJob) -> None:
    if _is_ours(job):
        give_back(job, "The trainer was stopped.")


def _is_ours(job: TuningJob) -> bool:
    """Read the job again, for its owner may have wished something of it meanwhile."""
    claim = job.claim
    job.refresh_from_db()
    return (job.status, job.claim) == (JobStatus.RUNNING, claim)


def _report_death(job: TuningJob, process: TrainerProcess, exit_code: int) -> None:
    exception = process.last_exception()
    logger.error(
        "The trainer of %s died (%s; last exception: %s). See %s",
        job,
        exit_code,
        exception or "none",
        process.log_path,
    )
    reason = _in_words(exit_code)
    if exception:
        reason += f"; {exception}"
    if _is_ours(job):
        requeue_job(job, f"The trainer stopped unexpectedly ({reason}).")


def _in_words(exit_code: int) -> str:
    if exit_code == -signal.SIGKILL:
        return "killed by the system, most likely because memory ran out"
    if exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _disk_error(error: OSError) -> str:
    return (
        f"The server could not write the run's files ({error.strerror}). Its operator"
        " must look at the disk; then start the job again as a new one."
    )
