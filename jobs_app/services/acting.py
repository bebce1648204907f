"""What a person does to a job that was launched: pause, resume, again, later."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app import providers
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import Ability, ProviderClient, RemoteJob, is_able
from jobs_app.services.launching import (
    check_schedule,
    create_job,
    launch_job,
)
from jobs_app.services.remote_state import store_remote_state
from teams_app import audit
from teams_app.models import User, Verb

# A person waits for the answer.
ACT_SECONDS = 15
MAY_PAUSE = {JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.RUNNING}
MAY_RESUME = {JobStatus.PAUSED}
MAY_RETRY = {JobStatus.FAILED, JobStatus.CANCELLED}

Ask = Callable[[ProviderClient, str], RemoteJob]


def can_pause(job: FineTuningJob) -> bool:
    return job.status in MAY_PAUSE and is_able(job.provider, Ability.PAUSE)


def can_resume(job: FineTuningJob) -> bool:
    return job.status in MAY_RESUME and is_able(job.provider, Ability.PAUSE)


def pause_job(job: FineTuningJob, *, by: User | None) -> None:
    """Ask the provider to pause a job; it may need a while until it stands still.

    Raises:
        IllegalTransition: there is nothing to pause, or the provider cannot.
        ProviderUnavailable, ProviderRejected: it was not heard; nothing is changed.
    """
    _require(can_pause(job), job, _("paused"))
    _ask(job, ProviderClient.pause, "pause requested", Verb.PAUSED, by)


def resume_job(job: FineTuningJob, *, by: User | None) -> None:
    """Ask the provider to go on with a paused job. Raises what `pause_job` raises."""
    _require(can_resume(job), job, _("resumed"))
    _ask(job, ProviderClient.resume, "resume requested", Verb.RESUMED, by)


def _require(is_possible: bool, job: FineTuningJob, done: str) -> None:
    if is_possible:
        return
    if job.remote_id and job.is_open and not is_able(job.provider, Ability.PAUSE):
        text = _("%(provider)s cannot pause jobs.") % {"provider": job.provider}
        raise IllegalTransition(text)
    raise IllegalTransition(
        _("Job %(job)d cannot be %(done)s; it is %(status)s.")
        % {"job": job.pk, "done": done, "status": job.get_status_display()}
    )


def _ask(
    job: FineTuningJob, ask: Ask, message: str, verb: Verb, by: User | None
) -> None:
    with providers.connect(job.provider, max_seconds=ACT_SECONDS) as client:
        remote = ask(client, job.remote_id)
    who = f" by {by.get_username()}" if by else ""
    with transaction.atomic():
        job.events.create(
            message=f"{message}{who}", created_by=by, request_id=remote.request_id
        )
        audit.record(verb, job, by=by)
        store_remote_state(job, remote, by=by)


def retry_job(job: FineTuningJob, *, by: User | None) -> FineTuningJob:
    """Launch the same again, once: who asks twice gets the same second job.

    Raises:
        IllegalTransition: it did not fail.
        ValidationError: what `launch_job` has against it.
    """
    if job.status not in MAY_RETRY:
        raise IllegalTransition(
            _("Job %(job)d is %(status)s; only a failed or cancelled one is retried.")
            % {"job": job.pk, "status": job.get_status_display()}
        )
    again = clone_job(job, by=by, launch_key=uuid5(job.launch_key, "retry"))
    with transaction.atomic():
        if again.status == JobStatus.DRAFT and launch_job(again, by=by):
            audit.record(Verb.RETRIED, job, by=by, job=again.pk)
            note = f"launched again as job {again.pk}"
            job.events.create(message=note, created_by=by)
    return again


def clone_job(job: FineTuningJob, *, by: User | None, **changes: Any) -> FineTuningJob:
    """A draft that asks for the same, but for the changes. Raises ValidationError."""
    same = {
        "provider": job.provider,
        "dataset_version": job.dataset_version,
        "base_model": job.base_model,
        "hyperparameters": job.hyperparameters,
        "suffix": job.suffix,
        "seed": job.seed,
    }
    return create_job(**{**same, **changes}, by=by)


def reschedule_job(job: FineTuningJob, at: datetime | None, *, by: User | None) -> None:
    """Launch a job that waits for its time at another one; None: now.

    Raises:
        IllegalTransition: it does not wait (any more).
        ValidationError: the time is past, or too far away.
    """
    check_schedule(at)
    waiting = FineTuningJob.objects.filter(
        pk=job.pk, status=JobStatus.PENDING, scheduled_for__gt=now()
    )
    with transaction.atomic():
        if not waiting.update(scheduled_for=at, next_poll_at=at or now()):
            raise IllegalTransition(_("This job does not wait for its time any more."))
        when = f"at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "now"
        who = f" by {by.get_username()}" if by else ""
        job.events.create(message=f"to be launched {when}{who}", created_by=by)
        moved_to = at and at.isoformat()
        audit.record(Verb.CHANGED, job, by=by, scheduled_for=moved_to)
    job.refresh_from_db()
