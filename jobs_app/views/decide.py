"""A person's decision on a job that the provider may have."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from jobs_app.decisions import carry_out
from jobs_app.models import FineTuningJob, IllegalTransition
from jobs_app.views.access import job_or_404, signed_in, user_of
from teams_app.access import require_role
from teams_app.models import Role


@require_POST
@signed_in
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    try:
        carry_out(
            request.POST.get("decision", ""),
            job,
            remote_id=request.POST.get("remote_id", ""),
            by=user_of(request),
        )
    except IllegalTransition as exc:
        messages.info(request, str(exc))
    except ValidationError as exc:
        messages.error(request, " ".join(exc.messages))
    return redirect("jobs:detail", pk)


def candidates_of(job: FineTuningJob) -> list[dict[str, Any]]:
    """What the page shows of the jobs that may be this one."""
    return [
        {
            **each,
            "created_at": _moment(each.get("created_at", "")),
            "is_our_file": each.get("training_file") == job.sent_training_file,
        }
        for each in job.candidates
    ]


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
