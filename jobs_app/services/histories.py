"""Read what a provider wrote about its jobs: events, checkpoints, figures.

Each line is stored once, and none is lost: a job that moved, or ended, is due to be
read until it was read whole.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from jobs_app import providers
from jobs_app.log_fields import about_job, about_provider
from jobs_app.models import (
    FINISHED,
    Checkpoint,
    EventType,
    FineTuningJob,
    JobEvent,
    JobStatus,
    Provider,
)
from jobs_app.providers import (
    ProviderClient,
    ProviderError,
    ProviderRejected,
    RemoteCheckpoint,
    RemoteEvent,
)
from jobs_app.result_csv import points_of
from jobs_app.services import due_times, pace
from jobs_app.services.backoff import try_again_at

log = logging.getLogger(__name__)

READ_DEADLINE_SECONDS = 90.0
# Reading that was begun and never ended is due again after this.
READ_LEASE_SECONDS = READ_DEADLINE_SECONDS + 30
# Time that a reading job may take; with less the rest waits for the next round.
ENOUGH_SECONDS = 20.0
# Jobs read in one round, with two requests each; polls keep half of all requests.
JOBS_PER_ROUND = 50
REQUESTS_PER_JOB = 2
SHARE_OF_READING = 0.5
# The provider's list is met at its new end; those further back need no comparing.
NEWEST_KNOWN_EVENTS = 500
# A finished job's last lines that cannot be read for so long are given up.
GIVE_UP_AFTER = timedelta(days=3)
# With a step behind it, it is the id of a figure, for which there is room for 200.
LONGEST_FILE_ID = 180
# Words for "there is no such thing here": some providers have no events.
NOT_THERE = {404, 405, 501}


def due_readings() -> QuerySet[FineTuningJob]:
    readable = FineTuningJob.objects.exclude(remote_id="")
    return readable.filter(next_reading_at__lte=now())


def read_histories(provider: Provider) -> int:
    """Read the jobs that are due at a provider, longest due first. Returns how many."""
    with pace.lease(provider, pace.Work.READ, READ_LEASE_SECONDS) as is_mine:
        if not is_mine:
            return 0
        due = due_readings().filter(provider=provider).order_by("next_reading_at")
        jobs = list(due.select_related("provider")[:JOBS_PER_ROUND])
        n_granted = pace.reserve(
            provider, len(jobs) * REQUESTS_PER_JOB, share=SHARE_OF_READING
        )
        return _read(provider, jobs[: n_granted // REQUESTS_PER_JOB], n_granted)


def _read(provider: Provider, jobs: list[FineTuningJob], n_reserved: int) -> int:
    if not jobs:
        return 0
    n_read = 0
    try:
        with providers.connect(provider, max_seconds=READ_DEADLINE_SECONDS) as client:
            client.n_reserved = n_reserved
            for job in jobs:
                if client.deadline.left() < ENOUGH_SECONDS:
                    break
                read_history(client, job)
                n_read += 1
    except ProviderError as exc:
        _note_failure(jobs[n_read], exc)
    return n_read


def read_history(client: ProviderClient, job: FineTuningJob) -> None:
    """Store what is new of one job, and when to look again.

    Raises:
        ProviderError: nothing was stored; the job stays due.
    """
    due_at, began_at = job.next_reading_at, now()
    store_history(client, job)
    _schedule(job, due_at, _look_again_at(job, began_at), n_reading_failures=0)


def _look_again_at(job: FineTuningJob, read_at: datetime) -> datetime | None:
    if job.status not in FINISHED:
        return due_times.next_reading_at(job)
    last_look_at = due_times.last_look_at(job)
    return None if read_at >= last_look_at else last_look_at


def _note_failure(job: FineTuningJob, exc: ProviderError) -> None:
    log.warning("its history could not be read", extra=about_job(job, exc))
    n_failures = job.n_reading_failures
    again_at: datetime | None = try_again_at(n_failures, exc)
    is_over = job.status in FINISHED
    if is_over and job.status_changed_at < now() - GIVE_UP_AFTER:
        job.events.create(
            level="warn",
            message=f"its last events could not be read: {exc}",
            request_id=exc.request_id,
        )
        again_at = None
    _schedule(job, job.next_reading_at, again_at, n_reading_failures=n_failures + 1)


def _schedule(
    job: FineTuningJob,
    due_at: datetime | None,
    again_at: datetime | None,
    **fields: int,
) -> None:
    """Unless the job moved meanwhile, and so became due anew."""
    unmoved = FineTuningJob.objects.filter(pk=job.pk, next_reading_at=due_at)
    unmoved.update(next_reading_at=again_at, **fields)


def store_history(client: ProviderClient, job: FineTuningJob) -> None:
    """Store new events and checkpoints; a provider may well not have either.

    All pages are read before anything is stored: were it otherwise, a failure between
    two pages would leave a gap that the next reading takes for known.
    """
    stored = job.events.exclude(remote_id="").order_by("-pk")
    known = set(stored.values_list("remote_id", flat=True)[:NEWEST_KNOWN_EVENTS])
    try:
        events = client.events(job.remote_id, is_known=known.__contains__)
    except ProviderRejected as exc:
        _check_that_it_has_none(exc)
        events = []
    known_checkpoints = list(job.checkpoints.values_list("pk", flat=True))
    try:
        checkpoints = client.checkpoints(job.remote_id)
    except ProviderRejected as exc:
        _check_that_it_has_none(exc)
        checkpoints = []
    with transaction.atomic():
        _store_events(job, events)
        _store_checkpoints(job, checkpoints, known_checkpoints)
    _store_results(client, job)


def _check_that_it_has_none(exc: ProviderRejected) -> None:
    if exc.status not in NOT_THERE:
        raise exc


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


def _store_checkpoints(
    job: FineTuningJob, found: list[RemoteCheckpoint], known_before: list[int]
) -> None:
    """`known_before`: keys of those that were stored when the provider was asked."""
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
        # What is newer, another worker has stored while this one slept.
        gone = job.checkpoints.filter(pk__in=known_before)
        gone.exclude(remote_id__in=kept).delete()


def _store_results(client: ProviderClient, job: FineTuningJob) -> None:
    """The figures of a finished job from its result files, where no event has any."""
    if job.status != JobStatus.SUCCEEDED or not job.result_files:
        return
    if job.events.filter(type=EventType.METRICS).exists():
        return
    for file_id in job.result_files:
        _store_points(job, file_id, _content(client, file_id))


def _content(client: ProviderClient, file_id: str) -> bytes:
    try:
        return client.file_content(file_id)
    except ProviderRejected as exc:
        about = about_provider(client.provider, exc)
        log.info("the result file %s cannot be read", file_id, extra=about)
        return b""


def _store_points(job: FineTuningJob, file_id: str, content: bytes) -> None:
    rows = [
        JobEvent(
            job=job,
            remote_id=f"{file_id[:LONGEST_FILE_ID]}:{point['step']}",
            created_at=job.finished_at or now(),
            type=EventType.METRICS,
            message=f"Step {point['step']}",
            data=point,
        )
        for point in points_of(content)
    ]
    JobEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
