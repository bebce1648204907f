"""Celery's doors. The table is the queue: a lost message costs one tick, no job."""

import logging
from functools import partial

from celery import Task, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import checking, files, queue, training

logger = logging.getLogger(__name__)

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
        ring(train, job)


@shared_task(ignore_result=True, expires=RING_SECONDS)
def train(job_pk: int) -> None:
    """Run one training; on the queue `training`, one at a time per device."""
    training.train(TuningJob.objects.get(pk=job_pk))


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def drive_training() -> None:
    """Every few seconds: find what rang unheard, and what lost its trainer."""
    files.delete_expired_files()
    queue.requeue_lost_jobs()
    for job in queue.unchecked_jobs()[:RUNG_AT_ONCE]:
        ring(validate, job)
    for job in queue.queued_jobs_in_fair_order()[:RUNG_AT_ONCE]:
        ring(train, job)


def ring(task: Task, job: TuningJob) -> None:
    """Call a worker once the job is committed.

    A broker that cannot be reached is logged, no more: the job stands in the table,
    and a client that got an error would create it a second time.
    """
    transaction.on_commit(partial(_send, task, job.pk))


def _send(task: Task, job_pk: int) -> None:
    try:
        task.apply_async((job_pk,), retry=False)
    except OperationalError as error:
        logger.warning("%s(%d) rang unheard: %s", task.name, job_pk, error)
