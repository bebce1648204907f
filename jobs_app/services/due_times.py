"""When a job is asked about again: less often the longer nothing has happened to it."""

import random
from datetime import datetime, timedelta

from django.utils.timezone import now

from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import profile_of

# Since the status changed → how many times as long as at first.
SLOWER = (
    (timedelta(hours=24), 15),
    (timedelta(hours=6), 6),
    (timedelta(hours=1), 3),
    (timedelta(0), 1),
)
# Nothing goes on in a paused job until somebody resumes it.
PAUSED_FACTOR = 15


def poll_seconds(job: FineTuningJob) -> float:
    """The wait between two polls, as long as all goes well."""
    return seconds_between_polls(job.provider, job.status, job.status_changed_at)


def seconds_between_polls(provider: Provider, status: str, since: datetime) -> float:
    profile = profile_of(provider)
    seconds = profile.poll_seconds * slowness(status, since)
    return min(seconds, profile.slowest_poll_seconds)


def slowness(status: str, since: datetime) -> int:
    """1 at first; how many times longer the waits have become."""
    if status == JobStatus.PAUSED:
        return PAUSED_FACTOR
    age = now() - since
    return next((factor for least, factor in SLOWER if age >= least), 1)


def in_about(seconds: float) -> datetime:
    """A tenth earlier or later, so that what met once does not meet again."""
    return now() + timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311


def next_reading_at(job: FineTuningJob) -> datetime | None:
    """When to read an open job's events again; None: once it has moved."""
    if job.status != JobStatus.RUNNING:
        return None
    return in_about(profile_of(job.provider).reading_seconds)


def last_look_at(job: FineTuningJob) -> datetime:
    """A finished job is read once more, by our own clock: a provider's may be wrong."""
    seconds = profile_of(job.provider).last_look_seconds
    return job.status_changed_at + timedelta(seconds=seconds)
