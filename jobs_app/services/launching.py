"""A person's acts: make a job, launch it, cancel it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import DatasetVersion
from jobs_app import providers
from jobs_app.models import (
    AT_PROVIDER,
    FineTuningJob,
    IllegalTransition,
    JobStatus,
    Provider,
)
from jobs_app.providers import Ability, is_able
from jobs_app.services import approvals
from jobs_app.services.editing import change_draft
from jobs_app.services.estimates import estimate_of
from jobs_app.services.fitting import check_fits
from jobs_app.services.launch_rules import Ruling, lock_team, ruling_on
from jobs_app.services.remote_state import store_remote_state
from teams_app import audit
from teams_app.models import User, Verb

# A person waits for a cancel; after that the next poll carries the wish on.
CANCEL_SECONDS = 15
NOT_THERE = {JobStatus.AWAITING_APPROVAL, JobStatus.PENDING, JobStatus.UNSURE}
# A form with a time needs as long to be sent.
A_MOMENT = timedelta(minutes=10)
FARTHEST = timedelta(days=366)


def create_job(
    *,
    provider: Provider,
    dataset_version: DatasetVersion,
    base_model: str,
    hyperparameters: dict[str, Any],
    suffix: str = "",
    seed: int | None = None,
    by: User | None,
    launch_key: UUID | None = None,
    scheduled_for: datetime | None = None,
) -> FineTuningJob:
    """A draft. The same `launch_key` again in the team gives the same job back; while
    it is a draft still, it then asks for what is asked now, whoever asked before.

    Raises:
        ValidationError: says per field what is wrong and what it may be.
    """
    asked: dict[str, Any] = {
        "provider": provider,
        "dataset_version": dataset_version,
        "base_model": base_model,
        "hyperparameters": hyperparameters,
        "suffix": suffix,
        "seed": seed,
        "created_by": by,
        "scheduled_for": scheduled_for,
    }
    key = launch_key or uuid4()
    known = _job_with(key, provider)
    if known and known.status != JobStatus.DRAFT:
        return known
    job = known or FineTuningJob(team=provider.team, launch_key=key)
    for name, value in asked.items():
        setattr(job, name, value)
    job.full_clean()
    check_fits(job)
    check_schedule(scheduled_for)
    if known:
        if not change_draft(known, **asked):
            known.refresh_from_db()  # somebody launched it this moment
        return known
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:  # the same request, sent twice at once
        if known := _job_with(job.launch_key, provider):
            return known
        raise
    return job


def check_schedule(at: datetime | None) -> None:
    """Raises ValidationError for a time that is past, or too far away."""
    if at is not None and at < now() - A_MOMENT:
        raise ValidationError(
            {
                "scheduled_for": _(
                    "This time is past. Choose a later one, or none to launch at once."
                )
            }
        )
    if at is not None and at > now() + FARTHEST:
        raise ValidationError({"scheduled_for": _("This is more than a year away.")})


def _job_with(launch_key: UUID, provider: Provider) -> FineTuningJob | None:
    known = FineTuningJob.objects.filter(launch_key=launch_key).first()
    if known and known.team_id != provider.team_id:
        raise ValidationError(
            {"launch_key": _("This launch key is taken; send a new random UUID.")}
        )
    return known


def launch_job(job: FineTuningJob, *, by: User | None) -> bool:
    """Hand a draft to the workers, or to a second person where the team's rules say so:
    then it is `awaiting_approval`. False: somebody else launched it at the same moment.

    Raises:
        IllegalTransition: it is no draft.
        ValidationError: the draft asks for something impossible, or for too much money.
    """
    if job.status != JobStatus.DRAFT:
        raise IllegalTransition(
            _("Job %(job)d was launched already; it is %(status)s.")
            % {"job": job.pk, "status": job.get_status_display()}
        )
    job.full_clean()
    check_fits(job)
    found = estimate_of(job)
    with transaction.atomic():
        team = lock_team(job.team_id)
        _require_unchanged(job)
        ruling = ruling_on(job, team, found)
        if ruling.reasons:
            return _ask(job, ruling, by)
        moved = job.move_to(
            JobStatus.PENDING,
            by=by,
            launched_at=now(),
            next_poll_at=job.due_at,
            **found.as_fields(),
        )
        if moved:
            audit.record(Verb.LAUNCHED, job, by=by, usd=_text(ruling.usd))
    return moved


def _require_unchanged(job: FineTuningJob) -> None:
    """What was judged, and nothing else, is launched: nobody edits the draft now."""
    locked = FineTuningJob.objects.select_for_update(of=("self",), no_key=True)
    stored = locked.get(pk=job.pk)
    if approvals.terms_of(stored) != approvals.terms_of(job):
        raise ValidationError(
            _("Somebody changed this draft just now. Look at it again, then launch it.")
        )


def _ask(job: FineTuningJob, ruling: Ruling, by: User | None) -> bool:
    moved = job.move_to(JobStatus.AWAITING_APPROVAL, by=by, next_poll_at=None)
    if moved:
        approvals.ask(job, ruling.reasons, ruling.usd, by=by)
        audit.record(Verb.ASKED, job, by=by, usd=_text(ruling.usd))
    return moved


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd)


def can_cancel(job: FineTuningJob) -> bool:
    """Before its provider has it always; after that, where the provider can."""
    is_there = job.status in AT_PROVIDER
    return job.is_open and (not is_there or is_able(job.provider, Ability.CANCEL))


def cancel_job(job: FineTuningJob, *, by: User | None) -> None:
    """Cancel a pending job at once; ask the provider to cancel one that it has.

    While a worker submits the job, the wish is noted and that worker acts on it.

    Raises:
        IllegalTransition: there is nothing to cancel, or the provider cannot.
        ProviderUnavailable: the wish is noted; every poll repeats it until it is heard.
        ProviderRejected: likewise; the text says what the provider has against it.
    """
    if not job.is_open:
        raise IllegalTransition(
            _("Job %(job)d cannot be cancelled; it is %(status)s.")
            % {"job": job.pk, "status": job.get_status_display()}
        )
    if not can_cancel(job):
        raise IllegalTransition(
            _("%(provider)s cannot cancel jobs: this one runs on until it ends.")
            % {"provider": job.provider}
        )
    # A pending job whose creation was sent may run at the provider: it is looked for,
    # and cancelled there. Who must decide anyway may decide to forget it.
    was_sent = job.status == JobStatus.PENDING and job.create_sent_at
    if job.status in NOT_THERE and not was_sent:
        done: dict[str, Any] = {"finished_at": now(), "next_poll_at": None}
        with transaction.atomic():
            if job.move_to(JobStatus.CANCELLED, by=by, **done):
                approvals.withdraw(job)
                audit.record(Verb.CANCELLED, job, by=by)
                return
        # A worker took it in this very moment.
    _note_wish(job, by)
    if job.status in AT_PROVIDER:
        with providers.connect(job.provider, max_seconds=CANCEL_SECONDS) as client:
            store_remote_state(job, client.cancel(job.remote_id), by=by)


def _note_wish(job: FineTuningJob, by: User | None) -> None:
    unasked = FineTuningJob.objects.filter(pk=job.pk, cancel_requested_at=None)
    with transaction.atomic():
        if unasked.update(cancel_requested_at=now(), cancel_requested_by=by):
            audit.record(Verb.CANCELLED, job, by=by)
            who = f" by {by.get_username()}" if by else ""
            job.events.create(message=f"cancel requested{who}", created_by=by)
    job.refresh_from_db()
