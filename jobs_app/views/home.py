"""The first page: what is running, what ran, what there is to train on."""

from typing import Any

from django.db.models import F, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets_app.models import Dataset, DatasetVersion
from datasets_app.services import with_counts
from jobs_app.history import visible_jobs
from jobs_app.models import OPEN, Approval
from jobs_app.progress import lines
from jobs_app.views.access import signed_in
from teams_app.access import has_role_anywhere
from teams_app.models import Role

N_OPEN = 12
N_RECENT = 8
N_DATASETS = 8
N_WAITING = 100


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    template = "_home_live.html" if request.htmx else "home.html"  # type: ignore[attr-defined]
    return render(request, f"jobs_app/{template}", _context(request.user))


def _context(user: Any) -> dict[str, Any]:
    jobs = visible_jobs(user)
    open_jobs = lines(jobs.filter(status__in=OPEN)[: N_OPEN + 1])
    return {
        "open_jobs": open_jobs[:N_OPEN],
        "has_more_open": len(open_jobs) > N_OPEN,
        "recent_jobs": lines(jobs.exclude(status__in=OPEN)[:N_RECENT]),
        "datasets": (datasets := _datasets(user)),
        "has_versions": any(each.newest_version for each in datasets),
        "n_waiting": _n_waiting(user),
        "keeps_changing": bool(open_jobs),
        "may_launch": has_role_anywhere(user, Role.LAUNCHER),
        "may_import": has_role_anywhere(user, Role.CURATOR),
        "may_review": has_role_anywhere(user, Role.REVIEWER),
    }


def _n_waiting(user: Any) -> int:
    """Launches that wait for a second person, as far as a page tells them apart."""
    waiting = Approval.objects.visible_to(user).filter(decided_at=None)
    return waiting[:N_WAITING].count()


def _datasets(user: Any) -> list[Any]:
    """The newest ones, with their counts, and each with its newest version."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    datasets = with_counts(Dataset.objects.visible_to(user)).annotate(
        newest_version=Subquery(newest.values("pk")[:1]),
        newest_number=Subquery(newest.values("number")[:1]),
        n_waiting=F("n_in_review") + F("n_draft"),
    )
    return list(datasets.order_by("-pk")[:N_DATASETS])
