"""Ask the provider how a job is doing, and keep what it says."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app import providers
from jobs_app.models import (
    AT_PROVIDER,
    FINISHED,
    Checkpoint,
    FineTuningJob,
    JobEvent,
    JobStatus,
)
from jobs_app.providers import (
    ProviderClient,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
)
from jobs_app.services.backoff import try_again_at
from jobs_app.services.remote_state import store_remote_state

log = logging.getLogger(__name__)

POLL_DEADLINE_SECONDS = 90
# A poll that was rung but never came back is due again after this.
POLL_CLAIM_SECONDS = POLL_DEADLINE_SECONDS + 30
# A provider that forgot the job three times running has really forgotten it.
N_NOT_FOUND_UNTIL_FAILED = 3
# After this many failures a job may finish without its last events.
N_FAILURES_UNTIL_EVENTS_ARE_LEFT = 5
LAST_LOOK_TRIES = 3
# The provider's list is met at its new end; those further back need no comparing.
NEWEST_KNOWN_EVENTS = 500


def poll_job(job: FineTuningJob) -> None:
    """Fetch status, events and checkpoints; a failure is noted, never raised."""
    if not job.remote_id or job.status not in AT_PROVIDER | FINISHED:
        return
    try:
        with providers.connect(
            job.provider, max_seconds=POLL_DEADLINE_SECONDS
        ) as client:
            if job.status in FINISHED:
                _look_a_last_time(client, job)
            else:
                _follow(client, job)
    except ProviderError as exc:
        _note_failure(job, exc)


def _follow(client: ProviderClient, job: FineTuningJob) -> None:
    # The state is asked first: once it says finished, the events are all written,
    # and they are stored before the job moves to where nobody polls it any more.
    cancelled = _cancelled_if_wished(client, job)
    remote = cancelled or client.retrieve(job.remote_id)
    try:
        store_history(client, job)
    except ProviderUnavailable:
        is_over = remote.status in FINISHED
        if not is_over or job.n_poll_failures < N_FAILURES_UNTIL_EVENTS_ARE_LEFT:
            raise
        log.warning("job %d finished, but its last events cannot be read", job.pk)
    store_remote_state(job, remote, by=job.cancel_requested_by if cancelled else None)


def _cancelled_if_wished(
    client: ProviderClient, job: FineTuningJob
) -> RemoteJob | None:
    if not job.cancel_requested_at:
        return None
    try:
        return client.cancel(job.remote_id)
    except ProviderRejected:  # it is finished, or being cancelled: the state tells
        return None


def _look_a_last_time(client: ProviderClient, job: FineTuningJob) -> None:
    """Fetch what the provider wrote after it called the job finished."""
    store_history(client, job)
    FineTuningJob.objects.filter(pk=job.pk).update(
        next_poll_at=None, poll_problem="", last_polled_at=now()
    )


def store_history(client: ProviderClient, job: FineTuningJob) -> None:
    """Store new events and checkpoints; a provider may well not have either.

    All pages are read before anything is stored: were it otherwise, a failure between
    two pages would leave a gap that the next poll takes for known.
    """
    stored = job.events.exclude(remote_id="").order_by("-pk")
    known = set(stored.values_list("remote_id", flat=True)[:NEWEST_KNOWN_EVENTS])
    try:
        events = client.events(job.remote_id, is_known=known.__contains__)
    except ProviderRejected as exc:
        log.info("job %d: no events: %s", job.pk, exc)
        events = []
    try:
        checkpoints = client.checkpoints(job.remote_id)
    except ProviderRejected as exc:
        log.info("job %d: no checkpoints: %s", job.pk, exc)
        checkpoints = []
    with transaction.atomic():
        _store_events(job, events)
        _store_checkpoints(job, checkpoints)


def _store_events(job: FineTuningJob, events: list[RemoteEvent]) -> None:
    rows = [
        JobEvent(
            job=job,
            remote_id=event.id,
            created_at=event.created_at,
            level=event.level,
            type=event.type,
            message=event.message,
            data=event.data,
        )
        for event in events
    ]
    # Another worker may have stored the same lines a moment ago.
    JobEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _store_checkpoints(job: FineTuningJob, found: list[RemoteCheckpoint]) -> None:
    rows = [
        Checkpoint(
            job=job,
            remote_id=checkpoint.id,
            name=checkpoint.name,
            step_number=checkpoint.step_number,
            metrics=checkpoint.metrics,
            created_at=checkpoint.created_at,
        )
        for checkpoint in found
    ]
    Checkpoint.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:  # providers keep the last few; the others answer no more
        kept = [checkpoint.id for checkpoint in found]
        job.checkpoints.exclude(remote_id__in=kept).delete()


def _note_failure(job: FineTuningJob, exc: ProviderError) -> None:
    log.warning("job %d could not be polled: %s", job.pk, exc)
    n_failures = job.n_poll_failures + 1
    if job.status in FINISHED:
        is_enough = n_failures >= LAST_LOOK_TRIES
        again_at = None if is_enough else now() + timedelta(minutes=n_failures)
        _update(job, n_poll_failures=n_failures, next_poll_at=again_at)
        return
    if exc.status == 404 and n_failures >= N_NOT_FOUND_UNTIL_FAILED:
        _give_up(job, exc)
        return
    if job.poll_problem != str(exc):
        job.events.create(
            level="warn", message=f"poll failed: {exc}", request_id=exc.request_id
        )
    _update(
        job,
        n_poll_failures=n_failures,
        poll_problem=str(exc),
        next_poll_at=try_again_at(job.n_poll_failures, exc),
    )


def _update(job: FineTuningJob, **fields: object) -> None:
    FineTuningJob.objects.filter(pk=job.pk, status=job.status).update(**fields)
    job.refresh_from_db()


def _give_up(job: FineTuningJob, exc: ProviderError) -> None:
    reason = _(
        "%(provider)s no longer knows this job. It was deleted there, or the provider "
        "entry now leads elsewhere. Launch it again if you still need it."
    ) % {"provider": job.provider}
    job.move_to(
        JobStatus.FAILED,
        note=f"({reason})",
        request_id=exc.request_id,
        error={"code": "job_not_found", "message": reason},
        finished_at=now(),
        next_poll_at=None,
    )
