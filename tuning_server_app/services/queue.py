"""The table of jobs as a queue: whose turn it is, and who lost its trainer."""

from collections import Counter
from datetime import timedelta

from django.db.models import QuerySet
from django.utils.timezone import now

from tuning_server_app.models import EventLevel, JobStatus, TuningJob
from tuning_server_app.services.jobs import fail_job
from tuning_server_app.services.pausing import stand_still

S = JobStatus
MAX_ATTEMPTS = 3
HEART_STOPPED_AFTER = timedelta(seconds=60)
RECENT = timedelta(hours=1)


def requeue_job(job: TuningJob, why: str) -> bool:
    """Give a job that lost its trainer to another one, unless it has lost too many.

    One that was to pause anyway is paused: whoever resumes it sends it to a trainer.
    """
    if job.pause_requested_at is not None:
        return stand_still(job)
    if job.attempts >= MAX_ATTEMPTS:
        return fail_job(
            job,
            code="server_error",
            message=f"{why} This was attempt {job.attempts} of {MAX_ATTEMPTS}. Nothing"
            " is wrong with your files as far as the server knows: its operator should"
            " look at the trainer's log; then start the job again as a new one.",
            param=None,
        )
    return job.move_to(
        S.QUEUED,
        f"{why} The job waits for another trainer and begins anew"
        f" (attempt {job.attempts + 1} of {MAX_ATTEMPTS}).",
        EventLevel.WARN,
        claim=None,
        heartbeat_at=None,
        estimated_finish_at=None,
    )


def requeue_lost_jobs() -> None:
    """Find the running jobs whose trainer died, and queue them again."""
    for job in TuningJob.objects.filter(
        status=S.RUNNING, heartbeat_at__lt=now() - HEART_STOPPED_AFTER
    ):
        requeue_job(job, "The trainer stopped answering.")


def unchecked_jobs() -> QuerySet[TuningJob]:
    return TuningJob.objects.filter(status=S.VALIDATING_FILES).order_by("pk")


def queued_jobs_in_fair_order() -> list[TuningJob]:
    """Whoever had the least training lately comes first; within a house, the oldest."""
    started = TuningJob.objects.filter(started_at__gt=now() - RECENT)
    load = Counter(started.values_list("organization_id", flat=True))
    turns = []
    for job in TuningJob.objects.filter(status=S.QUEUED).order_by("pk"):
        turns.append((load[job.organization_id], job.pk, job))
        load[job.organization_id] += 1
    return [job for _load, _pk, job in sorted(turns, key=lambda turn: turn[:2])]
