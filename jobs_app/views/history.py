"""The job history: a filtered, paged table that keeps itself up to date."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from jobs_app.forms import HistoryForm
from jobs_app.history import filtered, visible_jobs
from jobs_app.progress import lines
from jobs_app.views.access import signed_in
from teams_app.access import has_role_anywhere
from teams_app.models import Role

PER_PAGE = 25


@require_safe
@signed_in
def job_list(request: HttpRequest) -> HttpResponse:
    form = HistoryForm(request.GET, user=request.user)
    jobs = filtered(visible_jobs(request.user), **form.filters())
    # Ids first: the database then joins what a page shows, not all that it skips.
    page = Paginator(jobs.values_list("pk"), PER_PAGE).get_page(request.GET.get("page"))
    shown = lines(visible_jobs(request.user).filter(pk__in=[pk for (pk,) in page]))
    context = {
        "form": form,
        "page": page,
        "is_filtered": any(form.filters().values()),
        "lines": shown,
        "has_open": any(line.job.is_open for line in shown),
        "may_launch": has_role_anywhere(request.user, Role.LAUNCHER),
    }
    response = render(request, _template(request), context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _template(request: HttpRequest) -> str:
    """A fragment for htmx, but the whole page when it restores an old one."""
    htmx = request.htmx  # type: ignore[attr-defined]
    is_part = htmx and not htmx.history_restore_request
    return "jobs_app/_job_table.html" if is_part else "jobs_app/job_list.html"
