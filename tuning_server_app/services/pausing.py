"""Pause and resume: a run keeps what it has learnt, and gives its device back.

The owner's half (`pause_job`, `resume_job`) records a wish; the trainer's half
(`stand_still`) carries it out.
"""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.models import FINISHED, JobStatus, TuningJob

S = JobStatus


def pause_job(job: TuningJob) -> None:
    """Let the job stand still: at once if it waits, else as soon as its trainer saved.

    A job that is paused, or asked to pause already, stays as it is.

    Raises:
        ApiError: it has ended, or its files are still being checked.
    """
    while True:
        match job.status:
            case S.PAUSED:
                return
            case S.QUEUED:
                if job.move_to(S.PAUSED, "The job was paused"):
                    return
            case S.RUNNING:
                if _wish(job):
                    return
            case _:
                raise _cannot(job, "paused", "Only a queued or running job can be.")
        job.refresh_from_db()  # it moved on meanwhile: look again


def resume_job(job: TuningJob) -> None:
    """Put a paused job back into the queue, or withdraw the wish to pause it.

    Raises:
        ApiError: it is neither paused nor about to be.
    """
    while True:
        if job.status == S.PAUSED:
            if job.move_to(S.QUEUED, "The job was resumed"):
                return
        elif job.status == S.RUNNING and job.pause_requested_at:
            if _withdraw_wish(job):
                return
        else:
            raise _cannot(job, "resumed", "Only a paused job can be.")
        job.refresh_from_db()


def stand_still(job: TuningJob) -> bool:
    """The trainer's word that the run is saved, its process gone, its device free.

    The claim is given up with the status. A wish that was withdrawn meanwhile sends
    the job back to the queue, from which it goes on like any resumed one.

    Args:
        job: running, and claimed by the caller.
    Returns:
        False if the job is no longer the caller's: cancelled, or in other hands.
    """
    with transaction.atomic():
        rows = TuningJob.objects.select_for_update()
        if rows.get(pk=job.pk).pause_requested_at is None:
            status, why = S.QUEUED, "The job goes on: the pause was withdrawn"
        else:
            status, why = S.PAUSED, "The job was paused"
        return job.move_to(status, why, claim=None)


def _wish(job: TuningJob) -> bool:
    """One event a wish: a second click changes nothing, and is no failure."""
    if job.pause_requested_at:
        return True
    return _note(job, "Pause requested", old=None, new=now())


def _withdraw_wish(job: TuningJob) -> bool:
    return _note(job, "Pause withdrawn", old=job.pause_requested_at, new=None)


def _note(
    job: TuningJob, message: str, *, old: datetime | None, new: datetime | None
) -> bool:
    """Change the wish, unless another process changed it or the job moved first."""
    running = TuningJob.objects.filter(pk=job.pk, status=S.RUNNING)
    with transaction.atomic():
        if not running.filter(pause_requested_at=old).update(pause_requested_at=new):
            return False
        job.events.create(message=message)
    job.refresh_from_db()
    return True


def _cannot(job: TuningJob, verb: str, rule: str) -> ApiError:
    has_ended = job.status in FINISHED
    state = f"has ended: it is {job.status}" if has_ended else f"is {job.status}"
    return invalid(
        f"Job {job.wire_id} cannot be {verb}, because it {state}. {rule}",
        code="job_has_ended" if has_ended else "job_in_wrong_state",
    )
