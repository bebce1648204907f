"""The table of jobs as a queue: whose turn it is, and who lost its trainer."""

from collections import Counter
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from tuning_server_app.models import DeviceUse, EventLevel, JobStatus, TuningJob
from tuning_server_app.services.jobs import SERVER_ERROR, fail_job
from tuning_server_app.services.pausing import stand_still

S = JobStatus
# A job goes on by itself after as many losses; after one more it fails.
MAX_LOST = 3
HEART_STOPPED_AFTER = timedelta(seconds=60)
RECENT = timedelta(days=1)


def requeue_job(job: TuningJob, why: str) -> bool:
    """Give a job that lost its trainer to another one, unless it has lost too many.

    One that was to pause anyway is paused: whoever resumes it sends it to a trainer.
    """
    if job.pause_requested_at is not None:
        return stand_still(job)
    if job.n_lost >= MAX_LOST:
        return fail_job(
            job,
            code=SERVER_ERROR,
            message=f"{why} The job lost its trainer {job.n_lost + 1} times and is"
            " given up. Nothing is wrong with your files as far as the server knows:"
            " its operator should look at the trainer's log; then start a new job,"
            " which may begin from the last checkpoint.",
            param=None,
        )
    return job.move_to(
        S.QUEUED,
        f"{why} The job goes on from its last saved step as soon as a trainer is free"
        f" (loss {job.n_lost + 1}; at most {MAX_LOST} are made good).",
        EventLevel.WARN,
        claim=None,
        n_lost=job.n_lost + 1,
    )


def give_back(job: TuningJob, why: str) -> bool:
    """Queue a job whose trainer was told to stop: that is no loss of the job's."""
    if job.pause_requested_at is not None:
        return stand_still(job)
    return job.move_to(
        S.QUEUED,
        f"{why} The job goes on from its last saved step as soon as a trainer is free.",
        EventLevel.WARN,
        claim=None,
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
    """Whoever has the fewest runs going comes first; then whoever had the least of the
    devices lately; then the oldest job.

    The second job of an organization waits for the first of every other one, and so on,
    however many jobs it sends and however long they take.
    """
    running = Counter(_organizations(TuningJob.objects.filter(status=S.RUNNING)))
    used = _seconds_lately()
    turns = []
    for job in TuningJob.objects.filter(status=S.QUEUED).order_by("pk"):
        owner = job.organization_id
        turns.append((running[owner], used[owner], job.pk, job))
        running[owner] += 1
    return [turn[-1] for turn in sorted(turns)]


def _organizations(jobs: QuerySet[TuningJob]) -> QuerySet[TuningJob, int]:
    return jobs.values_list("organization_id", flat=True)


def _seconds_lately() -> "Counter[int]":
    """How long each organization has had a device within the last day, in runs that
    ended, stood still or were lost as in those that go on."""
    moment = now()
    since = moment - RECENT
    used: Counter[int] = Counter()
    recent = DeviceUse.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since))
    columns = ("job__organization_id", "began_at", "ended_at")
    for owner, began, ended in recent.values_list(*columns):
        had = (ended or moment) - max(began, since)
        used[owner] += int(had.total_seconds())
    return used
