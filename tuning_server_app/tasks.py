"""Celery's doors. The table is the queue: a lost message costs one tick, no job."""

from celery import shared_task

from tuning_server_app.models import JobStatus, TuningJob, WebhookDelivery
from tuning_server_app.services import (
    checking,
    exports,
    files,
    leftovers,
    queue,
    run_folder,
    stored_chats,
    training,
    uploads,
    webhooks,
)

# The tick rings again for whoever still waits, so an unheard message may fade soon.
RING_SECONDS = 30
TICK_SECONDS = 10
# More than there are trainers; the rest of a long queue need not be called yet.
RUNG_AT_ONCE = 8
DELIVERIES_AT_ONCE = 100


@shared_task(ignore_result=True, expires=RING_SECONDS)
def validate(job_pk: int) -> None:
    """Check a new job's files, and hand it on to a trainer."""
    job = TuningJob.objects.get(pk=job_pk)
    checking.validate_files(job)
    if job.status == JobStatus.QUEUED:
        train.delay_on_commit()
    ring_webhooks(job)


@shared_task(ignore_result=True, expires=RING_SECONDS)
def train() -> None:
    """Run one training; on the queue `training`, one at a time per device.

    Whoever rings, the trainer takes the job whose turn it is: messages for one
    organization may stand before those for another.
    """
    job = training.train_next()
    if job is None:
        return
    ring_webhooks(job)
    for export in exports.wanted().filter(tuned_model__job=job):
        make_export.delay_on_commit(export.pk)


@shared_task(ignore_result=True, expires=RING_SECONDS)
def make_export(export_pk: int) -> None:
    """Not on the queue `training`: a merge would wait for the trainings before it."""
    related = ("file", "tuned_model")
    for export in exports.wanted().select_related(*related).filter(pk=export_pk):
        exports.make(export)


@shared_task(ignore_result=True, expires=RING_SECONDS)
def deliver_webhook(delivery_pk: int) -> None:
    related = ("webhook", "job")
    found = WebhookDelivery.objects.select_related(*related).filter(pk=delivery_pk)
    for delivery in found:  # its webhook may have been removed meanwhile
        webhooks.deliver(delivery)


def ring_webhooks(job: TuningJob) -> None:
    """Whoever moved the job, perhaps to its end, calls this."""
    for delivery in webhooks.due_deliveries().filter(job=job):
        deliver_webhook.delay_on_commit(delivery.pk)


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def drive_training() -> None:
    """Every few seconds: find what rang unheard, and what lost its trainer."""
    files.delete_expired_files()
    leftovers.remove_leftovers()
    uploads.expire_uploads()
    stored_chats.delete_old_chats()
    run_folder.clear_ended_runs()
    queue.requeue_lost_jobs()
    exports.give_back_lost()
    exports.drop_unused()
    for job in queue.unchecked_jobs()[:RUNG_AT_ONCE]:
        validate.delay_on_commit(job.pk)
    for _job in queue.queued_jobs_in_fair_order()[:RUNG_AT_ONCE]:
        train.delay_on_commit()
    for export in exports.wanted()[:RUNG_AT_ONCE]:
        make_export.delay_on_commit(export.pk)
    for delivery in webhooks.due_deliveries()[:DELIVERIES_AT_ONCE]:
        deliver_webhook.delay_on_commit(delivery.pk)
