"""The REST API's door for the second person: approve, decline."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from jobs_app import services, tasks
from jobs_app.api_errors import Refusal
from jobs_app.api_schemas import ErrorOut, Text
from jobs_app.history import visible_jobs
from jobs_app.models import FineTuningJob
from jobs_app.services import approvals
from jobs_app.services.approvals import ApprovalRefused
from teams_app.access import require_role
from teams_app.models import Role, User

ERRORS = frozenset({401, 403, 404, 409, 422})
router = Router(tags=["jobs"])


class ApprovalOut(Schema):
    """The newest request for approval; `is_approved` is null while it waits."""

    reasons: list[str]
    usd: Decimal | None = Field(description="The estimate when it was asked for.")
    terms: dict[str, Any] = Field(description="What was asked for, and may run.")
    terms_digest: str = Field(description="Send it with an approval, as `seen`.")
    requested_by: str | None
    requested_at: datetime
    is_approved: bool | None
    decided_by: str | None
    decided_at: datetime | None
    decided_usd: Decimal | None = Field(description="The estimate when it was decided.")
    comment: str

    @classmethod
    def of(cls, job: FineTuningJob) -> Self | None:
        newest = job.approvals.select_related("requested_by", "decided_by").first()
        if newest is None:
            return None
        same = ("reasons", "usd", "terms", "requested_at", "is_approved", "decided_at")
        return cls(
            **{name: getattr(newest, name) for name in (*same, "decided_usd")},
            comment=newest.comment,
            terms_digest=approvals.digest_of(newest.terms),
            requested_by=_name(newest.requested_by),
            decided_by=_name(newest.decided_by),
        )


class ApproveIn(Schema):
    model_config = ConfigDict(extra="forbid")

    seen: Text = Field(
        "", description="terms_digest, so that nothing else is approved than you saw."
    )
    comment: Text = ""


class DeclineIn(Schema):
    model_config = ConfigDict(extra="forbid")

    comment: Text = Field(description="Why. Whoever asked reads it.")


class DecisionOut(Schema):
    id: int
    status: str
    approval: ApprovalOut | None


@router.post(
    "/jobs/{int:job_id}/approve",
    summary="Approve a launch",
    response={200: DecisionOut, ERRORS: ErrorOut},
)
def approve(request: HttpRequest, job_id: int, data: ApproveIn) -> Any:
    """Another launcher than the one who asked. The workers then take the job."""
    job, user = _job(request, job_id)
    try:
        services.approve(job, by=user, seen=data.seen, comment=data.comment)
    except ApprovalRefused as exc:
        raise _refusal(exc) from exc
    tasks.submit_job.delay_on_commit(job.pk)
    return _decision(job)


@router.post(
    "/jobs/{int:job_id}/decline",
    summary="Decline a launch",
    response={200: DecisionOut, ERRORS: ErrorOut},
)
def decline(request: HttpRequest, job_id: int, data: DeclineIn) -> Any:
    """The job never runs."""
    job, user = _job(request, job_id)
    try:
        services.decline(job, by=user, comment=data.comment)
    except ApprovalRefused as exc:
        raise _refusal(exc) from exc
    return _decision(job)


def _job(request: HttpRequest, job_id: int) -> tuple[FineTuningJob, User]:
    user: User = request.auth  # type: ignore[attr-defined]
    job = visible_jobs(user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    require_role(user, job, Role.LAUNCHER)
    return job, user


def _decision(job: FineTuningJob) -> DecisionOut:
    job.refresh_from_db()
    return DecisionOut(id=job.pk, status=job.status, approval=ApprovalOut.of(job))


def _refusal(exc: ApprovalRefused) -> Refusal:
    return Refusal(
        409,
        what=_("Nothing was decided."),
        why=str(exc),
        what_to_do=_("GET /api/jobs/ID shows its state and what was asked for."),
    )


def _name(user: User | None) -> str | None:
    return user.get_username() if user else None
