"""The second person: the list of launches that wait, and the decision about one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs_app import services, tasks
from jobs_app.models import Approval, FineTuningJob
from jobs_app.services import approvals
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.spending import spending_of
from jobs_app.team_forms import DecisionForm
from jobs_app.views.access import job_or_404, signed_in, user_of
from teams_app.access import has_role, require_role
from teams_app.models import Role

SHOWN = 100


@require_safe
@signed_in
def waiting(request: HttpRequest) -> HttpResponse:
    """The oldest first: it has waited longest."""
    user = user_of(request)
    found = Approval.objects.visible_to(user).filter(decided_at=None)
    related = ("job__dataset_version__dataset", "job__provider", "job__team")
    rows = found.select_related(*related, "requested_by").order_by("pk")
    shown = list(rows[: SHOWN + 1])
    lines = [
        {"request": each, "job": each.job, "may_decide": _may_decide(user, each)}
        for each in shown[:SHOWN]
    ]
    context = {"lines": lines, "has_more": len(shown) > SHOWN, "most": SHOWN}
    return render(request, "jobs_app/waiting.html", context)


@require_POST
@signed_in
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _refused(request, job, _("The reason is too long."))
    try:
        services.approve(job, by=user_of(request), **form.cleaned_data)
    except (ApprovalRefused, ValidationError) as exc:
        return _refused(request, job, " ".join(getattr(exc, "messages", [str(exc)])))
    tasks.submit_job.delay_on_commit(job.pk)
    return redirect("jobs:detail", pk)


@require_POST
@signed_in
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    form = DecisionForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    try:
        services.decline(job, by=user_of(request), comment=comment)
    except ApprovalRefused as exc:
        return _refused(request, job, str(exc))
    return redirect("jobs:detail", pk)


def _job(request: HttpRequest, pk: int) -> FineTuningJob:
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    return job


def _refused(request: HttpRequest, job: FineTuningJob, why: str) -> HttpResponse:
    messages.error(request, _("Nothing was decided. %(why)s") % {"why": why})
    return redirect("jobs:detail", job.pk)


def _may_decide(user: Any, request: Approval) -> bool:
    is_launcher = has_role(user, request.job, Role.LAUNCHER)
    return is_launcher and approvals.may_decide(request, user)


def approval_context(request: HttpRequest, job: FineTuningJob) -> dict[str, Any]:
    """What the job's page shows of its newest request; nothing if it has none."""
    newest = job.approvals.select_related("requested_by", "decided_by").first()
    if newest is None:
        return {}
    context: dict[str, Any] = {"approval": newest}
    if newest.decided_at is None:
        terms = approvals.terms_of(job)
        context |= {
            "terms_digest": approvals.digest_of(terms),
            "is_as_asked": terms == newest.terms,
            "may_decide": _may_decide(request.user, newest),
            "spending": spending_of(job.team),
        }
    return context
