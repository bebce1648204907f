"""The first page: what is running, what ran, what there is to train on."""

from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets_app.models import Dataset, DatasetVersion, Example
from jobs_app import services
from jobs_app.history import visible_jobs
from jobs_app.models import OPEN
from jobs_app.progress import lines
from jobs_app.views.access import signed_in
from teams_app.access import has_role_anywhere
from teams_app.models import Role

N_OPEN = 12
N_RECENT = 8
N_DATASETS = 8


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    template = "_home_live.html" if request.htmx else "home.html"  # type: ignore[attr-defined]
    return render(request, f"jobs_app/{template}", _context(request.user))


def _context(user: Any) -> dict[str, Any]:
    jobs = visible_jobs(user)
    open_jobs = lines(jobs.filter(status__in=OPEN)[: N_OPEN + 1])
    silent = [pulse for pulse in services.heartbeats() if not pulse.is_alive]
    return {
        "open_jobs": open_jobs[:N_OPEN],
        "has_more_open": len(open_jobs) > N_OPEN,
        "recent_jobs": lines(jobs.exclude(status__in=OPEN)[:N_RECENT]),
        "datasets": (datasets := list(_datasets(user))),
        "has_versions": any(each["newest_version"] for each in datasets),
        "silent": silent,
        "keeps_changing": bool(open_jobs or silent),
        "may_launch": has_role_anywhere(user, Role.LAUNCHER),
        "may_import": has_role_anywhere(user, Role.CURATOR),
    }


def _datasets(user: Any) -> Any:
    """Each as a dict: pk, name, n_examples, its newest version's id and number.

    Counted per row: a join over examples and versions would multiply them.
    """
    examples = Example.objects.filter(dataset=OuterRef("pk")).order_by()
    counted = examples.values("dataset").annotate(n=Count("pk")).values("n")
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    return (
        Dataset.objects.visible_to(user)
        .annotate(
            n_examples=Coalesce(Subquery(counted), 0),
            newest_version=Subquery(newest.values("pk")[:1]),
            newest_number=Subquery(newest.values("number")[:1]),
        )
        .order_by("-pk")
        .values("pk", "name", "n_examples", "newest_version", "newest_number")
    )[:N_DATASETS]
