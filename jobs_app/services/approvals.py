"""The second person: asks, approves, declines. Nobody decides about their own request.

What was asked for is kept as `terms`; only a job that still has those terms may run.
"""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app.models import Approval, FineTuningJob, JobStatus, Reason
from jobs_app.services.estimates import estimate_of
from jobs_app.services.launch_rules import lock_team, ruling_on
from jobs_app.services.spending import cost_of
from teams_app import audit
from teams_app.models import User, Verb

LONGEST_COMMENT = 1000


class ApprovalRefused(Exception):
    """This person cannot decide, or nobody can any more; the text says why."""


def terms_of(job: FineTuningJob) -> dict[str, Any]:
    """All that decides what runs and where. No secret is in it."""
    version, provider = job.dataset_version, job.provider
    return {
        "version": version.pk,
        "training_sha256": version.training_sha256,
        "validation_sha256": version.validation_sha256,
        "provider": provider.pk,
        "kind": provider.kind,
        "base_url": provider.base_url,
        "api_version": provider.api_version,
        "extra_body": provider.extra_body,
        "base_model": job.base_model,
        "hyperparameters": job.hyperparameters,
        "suffix": job.suffix,
        "seed": job.seed,
    }


def digest_of(terms: dict[str, Any]) -> str:
    """By it a page says which terms it showed."""
    text = json.dumps(terms, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def open_request(job: FineTuningJob) -> Approval | None:
    requests = job.approvals.filter(decided_at=None)
    return requests.select_related("requested_by").first()


def may_decide(request: Approval, user: User) -> bool:
    """Another person than the one who asked; the role is for the door to ask."""
    return request.requested_by_id != user.pk


def ask(
    job: FineTuningJob, reasons: list[Reason], usd: Any, *, by: User | None
) -> None:
    """Store the request; call it in the transaction that moves the job."""
    Approval.objects.create(
        job=job, reasons=reasons, terms=terms_of(job), usd=usd, requested_by=by
    )


def approve(job: FineTuningJob, *, by: User, seen: str = "", comment: str = "") -> bool:
    """Hand the job to the workers. False: somebody else decided at the same moment.

    Args:
        seen: the digest of the terms that the person was shown; empty: as they are.

    Raises:
        ApprovalRefused: by this person, or with these terms, it cannot be.
        ValidationError: it is above a limit that no approval lifts.
    """
    with transaction.atomic():
        team = lock_team(job.team_id)
        job.refresh_from_db()  # as it will run, not as it was when the page was opened
        request = _decidable(job, by)
        terms = terms_of(job)
        if request.terms != terms or seen not in ("", digest_of(terms)):
            raise ApprovalRefused(
                _(
                    "The job is not what was asked for any more. Decline it; whoever "
                    "wants it can launch it again as it is now."
                )
            )
        found = estimate_of(job)
        ruling_on(job, team, found)
        moved = job.move_to(
            JobStatus.PENDING,
            by=by,
            launched_at=now(),
            next_poll_at=job.due_at,
            create_sent_at=None,
            candidates=[],
            **found.as_fields(),
        )
        if moved:
            _decide(request, by, True, comment, cost_of(found))
            audit.record(Verb.APPROVED, job, by=by, usd=_text(cost_of(found)))
    return moved


def decline(job: FineTuningJob, *, by: User, comment: str) -> bool:
    """The job never runs. False: somebody else decided at the same moment.

    One that its provider may have already is not launched again, and what is to become
    of it has to be decided as before.

    Raises ApprovalRefused.
    """
    with transaction.atomic():
        request = _decidable(job, by)
        if not comment.strip():
            raise ApprovalRefused(_("Say why, so that the other person knows."))
        if job.create_sent_at:
            moved = job.move_to(JobStatus.UNSURE, by=by)
        else:
            done: dict[str, Any] = {"finished_at": now(), "next_poll_at": None}
            moved = job.move_to(JobStatus.DECLINED, by=by, **done)
        if moved:
            _decide(request, by, False, comment, request.usd)
            audit.record(Verb.DECLINED, job, by=by)
    return moved


def withdraw(job: FineTuningJob) -> None:
    """The request ends with the job that was cancelled; nobody decided about it."""
    job.approvals.filter(decided_at=None).update(decided_at=now())


def still_holds(job: FineTuningJob) -> bool:
    """May the job run as it is now? Only as it was approved, if it had to be."""
    newest = job.approvals.first()
    if newest is None:
        return True
    return bool(newest.is_approved) and newest.terms == terms_of(job)


def ask_again(job: FineTuningJob) -> None:
    """The job is not what was approved: it waits for a new approval."""
    newest = job.approvals.latest("pk")
    is_changed = bool(newest.is_approved)
    note = "(what was approved has changed since)" if is_changed else "(not approved)"
    reasons = [Reason.CHANGED] if is_changed else newest.reasons
    with transaction.atomic():
        if job.move_to(JobStatus.AWAITING_APPROVAL, note=note, launched_at=None):
            ask(job, reasons, cost_of(estimate_of(job)), by=newest.requested_by)


def _decidable(job: FineTuningJob, by: User) -> Approval:
    request = open_request(job)
    if job.status != JobStatus.AWAITING_APPROVAL or request is None:
        raise ApprovalRefused(
            _("Job %(job)d waits for no approval; it is %(status)s.")
            % {"job": job.pk, "status": job.get_status_display()}
        )
    if not may_decide(request, by):
        raise ApprovalRefused(
            _(
                "You asked for this launch yourself. Another launcher of the team "
                "must decide about it."
            )
        )
    return request


def _decide(
    request: Approval, by: User, is_approved: bool, comment: str, usd: Any
) -> None:
    request.decided_at, request.decided_by = now(), by
    request.is_approved, request.decided_usd = is_approved, usd
    request.comment = comment.strip()[:LONGEST_COMMENT]
    request.save()


def _text(usd: Any) -> str | None:
    return None if usd is None else str(usd)
