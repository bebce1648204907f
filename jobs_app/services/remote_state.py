"""What the provider says of a job, written into its row."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from jobs_app.log_fields import about_job
from jobs_app.models import FINISHED, EventType, FineTuningJob, JobEvent, JobStatus
from jobs_app.providers import RemoteJob, profile_of
from jobs_app.services import due_times
from teams_app.models import User

log = logging.getLogger(__name__)

BLANK: tuple[Any, ...] = ("", None, {}, [])
# More keys than this a statement would be too long for SQLite.
KEYS_A_STATEMENT = 500


def store_remote_state(
    job: FineTuningJob, remote: RemoteJob, *, by: User | None = None
) -> bool:
    """Bring the row up to date. False: another process moved the job meanwhile.

    `by` is the person whose act the provider answered.
    """
    status = _status_of(job, remote)
    fields = _fields(job, remote, status)
    is_new_word = _is_new_word(job, remote)
    with transaction.atomic():
        if status == job.status:
            is_stored = _store_unmoved(job, fields)
        else:
            is_stored = _move(job, remote, status, by, fields)
        if is_stored and is_new_word:
            _unknown_word(job, remote).save(force_insert=True)
    return is_stored


def _move(
    job: FineTuningJob,
    remote: RemoteJob,
    status: str,
    by: User | None,
    fields: dict[str, Any],
) -> bool:
    note = f"({_reason(remote)})" if status == JobStatus.FAILED else ""
    told_by = remote.request_id
    has_moved = job.move_to(status, note=note, by=by, request_id=told_by, **fields)
    if has_moved:
        log.info("%s at its provider", status, extra=about_job(job))
    return has_moved


def _store_unmoved(job: FineTuningJob, fields: dict[str, Any]) -> bool:
    unmoved = FineTuningJob.objects.filter(
        pk=job.pk,
        status=job.status,
        status_changed_at=job.status_changed_at,
        remote_status=job.remote_status,
    )
    n_updated = unmoved.update(**fields)
    job.refresh_from_db()
    return bool(n_updated)


def has_moved(job: FineTuningJob, remote: RemoteJob) -> bool:
    """Does the provider say anything of the job that its row does not?"""
    if _status_of(job, remote) != job.status or remote.status_word != job.remote_status:
        return True
    return any(getattr(job, k) != v for k, v in _given(job, remote).items())


def touch(seen: Sequence[tuple[FineTuningJob, RemoteJob]], began_at: datetime) -> None:
    """Note that these jobs were seen, and had not moved; a statement for hundreds.

    A job that became due since `began_at` stays due: a webhook told of something that
    this look at the list may have missed.
    """
    alike: dict[tuple[str, float], list[int]] = defaultdict(list)
    for job, _remote in seen:
        alike[job.status, due_times.poll_seconds(job)].append(job.pk)
    for (status, seconds), keys in alike.items():
        rows = FineTuningJob.objects.filter(pk__in=keys, status=status)
        rows.exclude(next_poll_at__gt=began_at, next_poll_at__lte=now()).update(
            **_heard(), next_poll_at=due_times.in_about(seconds)
        )
    _store_estimates(seen)


def _store_estimates(seen: Sequence[tuple[FineTuningJob, RemoteJob]]) -> None:
    """Providers change their mind about the end with every question."""
    changed = []
    for job, remote in seen:
        if job.estimated_finish_at != remote.estimated_finish_at:
            job.estimated_finish_at = remote.estimated_finish_at
            changed.append(job)
    FineTuningJob.objects.bulk_update(
        changed, ["estimated_finish_at"], batch_size=KEYS_A_STATEMENT
    )


def _given(job: FineTuningJob, remote: RemoteJob) -> dict[str, Any]:
    """What the provider tells; what it leaves out stays as it was known, and so does
    the id, once there is one: whoever answers with another may mean another job."""
    known: dict[str, Any] = {
        "remote_id": job.remote_id or remote.id,
        "fine_tuned_model": remote.fine_tuned_model,
        "trained_tokens": remote.trained_tokens,
        "resolved_hyperparameters": remote.hyperparameters,
        "result_files": remote.result_files,
    }
    return {name: value for name, value in known.items() if value not in BLANK}


def _heard() -> dict[str, Any]:
    return {
        "last_polled_at": now(),
        "n_poll_failures": 0,
        "poll_problem": "",
    }


def _fields(job: FineTuningJob, remote: RemoteJob, status: str) -> dict[str, Any]:
    since = job.status_changed_at if status == job.status else now()
    seconds = due_times.seconds_between_polls(job.provider, status, since)
    fields = {
        **_given(job, remote),
        **_heard(),
        "remote_status": remote.status_word,
        "estimated_finish_at": remote.estimated_finish_at,
        "next_poll_at": due_times.in_about(seconds),
    }
    if has_moved(job, remote):
        fields["next_reading_at"] = now()
    if status in FINISHED:
        fields |= _finishing_fields(job, remote, status)
    return fields


def _finishing_fields(
    job: FineTuningJob, remote: RemoteJob, status: str
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "finished_at": remote.finished_at or now(),
        "estimated_finish_at": None,
        "next_poll_at": None,
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


def _reason(remote: RemoteJob) -> str:
    return remote.error.get("message") or "the provider gave no reason"


def _status_of(job: FineTuningJob, remote: RemoteJob) -> str:
    """Ours for the provider's word. A word nobody knows leaves the job as it is: open,
    for what has ended says so in a word of the contract."""
    if remote.status is not None:
        return remote.status
    at_provider = job.status != JobStatus.SUBMITTING
    return job.status if at_provider else JobStatus.QUEUED


def _is_new_word(job: FineTuningJob, remote: RemoteJob) -> bool:
    is_known = remote.status is not None or not remote.status_word
    return not is_known and remote.status_word != job.remote_status


def _unknown_word(job: FineTuningJob, remote: RemoteJob) -> JobEvent:
    return JobEvent(
        job=job,
        type=EventType.MESSAGE,
        level="warn",
        message=f"the provider calls the job’s state “{remote.status_word}”",
        request_id=remote.request_id,
    )
