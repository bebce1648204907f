"""Celery's doors. The table is the queue: a lost message costs one tick, no job."""

from celery import shared_task

from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import checking, files, queue, training, uploads

# The tick rings again for whoever still waits, so an unheard message may fade soon.
RING_SECONDS = 30
TICK_SECONDS = 10
# More than there are trainers; the rest of a long queue need not be called yet.
RUNG_AT_ONCE = 8


@shared_task(ignore_result=True, expires=RING_SECONDS)
def validate(job_pk: int) -> None:
    """Check a new job's files, and hand it on to a trainer."""
    job = TuningJob.objects.get(pk=job_pk)
    checking.validate_files(job)
    if job.status == JobStatus.QUEUED:
        train.delay_on_commit(job.pk)


@shared_task(ignore_result=True, expires=RING_SECONDS)
def train(job_pk: int) -> None:
    """Run one training; on the queue `training`, one at a time per device."""
    training.train(TuningJob.objects.get(pk=job_pk))


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def drive_training() -> None:
    """Every few seconds: find what rang unheard, and what lost its trainer."""
    files.delete_expired_files()
    uploads.expire_uploads()
    queue.requeue_lost_jobs()
    for job in queue.unchecked_jobs()[:RUNG_AT_ONCE]:
        validate.delay_on_commit(job.pk)
    for job in queue.queued_jobs_in_fair_order()[:RUNG_AT_ONCE]:
        train.delay_on_commit(job.pk)
