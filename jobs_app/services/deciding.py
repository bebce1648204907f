"""A person's decision where nobody can tell whether the provider has a job."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus, Reason
from jobs_app.services import approvals
from jobs_app.services.estimates import estimate_of
from jobs_app.services.launch_rules import Ruling, lock_team, ruling_on
from teams_app import audit
from teams_app.models import User, Verb

MAX_REMOTE_ID = 200


def take_as_ours(job: FineTuningJob, remote_id: str, *, by: User | None) -> None:
    """“This is it”: follow the provider's job of this id from now on.

    Raises:
        IllegalTransition: nothing is to be decided, or somebody has decided already.
        ValidationError: no id, or that of another job of ours.
    """
    if not job.may_be_there:  # while a second person is asked it still can be found
        _check_open(job)
    remote_id = remote_id.strip()
    if not remote_id or len(remote_id) > MAX_REMOTE_ID or not remote_id.isprintable():
        raise ValidationError(_("Give the id that the job has at the provider."))
    other = _owner_of(job, remote_id)
    if other and other.team_id != job.team_id:
        raise ValidationError(_("Another job here has this id by now."))
    if other:
        raise ValidationError(
            _("%(id)s is the job #%(other)d here. Choose another one, or launch again.")
            % {"id": remote_id, "other": other.pk}
        )
    with transaction.atomic():
        moved = _move(
            job,
            JobStatus.QUEUED,
            note=_("decided: %(id)s is this job") % {"id": remote_id},
            by=by,
            remote_id=remote_id,
            candidates=[],
            poll_problem="",
            next_poll_at=now(),
        )
        if moved:
            approvals.withdraw(job)


def launch_again(job: FineTuningJob, *, by: User | None) -> None:
    """“Launch again”: the provider does not have it, or nobody minds a second one.

    A launch that needs a second person needs one for this, too, for it may cost twice:
    then the job is `awaiting_approval`.

    Raises:
        IllegalTransition: nothing is to be decided, or somebody has decided already.
        ValidationError: the team's rules allow no such launch any more.
    """
    _check_open(job)
    found = estimate_of(job)
    with transaction.atomic():
        ruling = ruling_on(job, lock_team(job.team_id), found)
        if ruling.reasons or job.approvals.exists():
            _ask(job, ruling, by)
        else:
            _send_again(job, by)


def _ask(job: FineTuningJob, ruling: Ruling, by: User | None) -> None:
    note = _("decided: launch again, if a second person agrees")
    if _move(job, JobStatus.AWAITING_APPROVAL, note=note, by=by):
        approvals.ask(job, [Reason.AGAIN, *ruling.reasons], ruling.usd, by=by)


def _send_again(job: FineTuningJob, by: User | None) -> None:
    _move(
        job,
        JobStatus.PENDING,
        note=_("decided: the provider does not have it; launch again"),
        by=by,
        create_sent_at=None,
        candidates=[],
        poll_problem="",
        next_poll_at=now(),
    )


def look_again(job: FineTuningJob, *, by: User | None) -> None:
    """Have a worker look at the provider's list once more.

    Raises:
        IllegalTransition: nothing is to be decided, or somebody has decided already.
    """
    _check_open(job)
    _move(job, JobStatus.PENDING, note=_("look again"), by=by, next_poll_at=now())


def _check_open(job: FineTuningJob) -> None:
    if job.status != JobStatus.UNSURE:
        raise IllegalTransition(
            _("Job %(job)d needs no decision; it is %(status)s.")
            % {"job": job.pk, "status": job.get_status_display()}
        )


def _owner_of(job: FineTuningJob, remote_id: str) -> FineTuningJob | None:
    theirs = FineTuningJob.objects.filter(
        provider__base_url=job.provider.base_url, remote_id=remote_id
    )
    return theirs.exclude(pk=job.pk).first()


def _move(
    job: FineTuningJob, status: str, *, note: str, by: User | None, **fields: Any
) -> bool:
    try:
        with transaction.atomic():
            moved = job.move_to(status, note=f"({note})", by=by, **fields)
            if moved:
                audit.record(Verb.DECIDED, job, by=by, decision=note)
    except IntegrityError as exc:  # somebody gave it to another job this moment
        raise ValidationError(_("Another job here has this id by now.")) from exc
    if not moved:
        job.refresh_from_db()
        _check_open(job)
    return moved
