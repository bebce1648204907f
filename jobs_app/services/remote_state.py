"""What the provider says of a job, written into its row."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now

from jobs_app.models import FINISHED, EventType, FineTuningJob, JobStatus
from jobs_app.providers import RemoteJob, profile_of
from teams_app.models import User

log = logging.getLogger(__name__)

BLANK: tuple[Any, ...] = ("", None, {})


def store_remote_state(
    job: FineTuningJob, remote: RemoteJob, *, by: User | None = None
) -> bool:
    """Bring the row up to date. False: another process moved the job meanwhile.

    `by` is the person whose act the provider answered.
    """
    status = remote.status or _unknown_status(job, remote)
    fields = _fields(job, remote, status)
    if status != job.status:
        note = f"({_reason(remote)})" if status == JobStatus.FAILED else ""
        moved = job.move_to(
            status, note=note, by=by, request_id=remote.request_id, **fields
        )
        if moved:
            log.info("job %d is %s at its provider", job.pk, status)
        return moved
    unmoved = FineTuningJob.objects.filter(
        pk=job.pk, status=job.status, status_changed_at=job.status_changed_at
    )
    n_updated = unmoved.update(**fields)
    job.refresh_from_db()
    return bool(n_updated)


def _fields(job: FineTuningJob, remote: RemoteJob, status: str) -> dict[str, Any]:
    known: dict[str, Any] = {
        "remote_id": remote.id,
        "fine_tuned_model": remote.fine_tuned_model,
        "trained_tokens": remote.trained_tokens,
        "resolved_hyperparameters": remote.hyperparameters,
    }
    fields = {name: value for name, value in known.items() if value not in BLANK}
    fields |= {
        "estimated_finish_at": remote.estimated_finish_at,
        "last_polled_at": now(),
        "n_poll_failures": 0,
        "poll_problem": "",
        "next_poll_at": next_poll_at(job),
    }
    if status in FINISHED:
        fields |= _finishing_fields(job, remote, status)
    return fields


def _finishing_fields(
    job: FineTuningJob, remote: RemoteJob, status: str
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "finished_at": remote.finished_at or now(),
        "estimated_finish_at": None,
        "next_poll_at": now()
        + timedelta(seconds=profile_of(job.provider).last_look_seconds),
    }
    if status == JobStatus.FAILED:
        fields["error"] = {**remote.error, "message": _reason(remote)}
    if status == JobStatus.SUCCEEDED and is_compared_at_once(job):
        fields["next_comparison_at"] = now()
    return fields


def is_compared_at_once(job: FineTuningJob) -> bool:
    """Only where asking costs nothing."""
    is_free = not profile_of(job.provider).costs_money
    return is_free and job.dataset_version.n_validation_rows > 0


def next_poll_at(job: FineTuningJob) -> datetime:
    return now() + timedelta(seconds=profile_of(job.provider).poll_seconds)


def _reason(remote: RemoteJob) -> str:
    return remote.error.get("message") or "the provider gave no reason"


def _unknown_status(job: FineTuningJob, remote: RemoteJob) -> str:
    """The status to keep at a word nobody knows, which the job's story shows once."""
    job.events.get_or_create(
        remote_id=f"status:{remote.status_word}",
        defaults={
            "type": EventType.MESSAGE,
            "level": "warn",
            "message": f"the provider calls the job’s state “{remote.status_word}”",
            "request_id": remote.request_id,
        },
    )
    at_provider = job.status != JobStatus.SUBMITTING
    return job.status if at_provider else JobStatus.QUEUED
