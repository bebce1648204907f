"""Asking for a version, and the page of the freeze while a worker makes it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from datasets_app import services, tasks
from datasets_app.forms import FreezeForm
from datasets_app.models import Dataset, FreezeRun
from datasets_app.views.access import get_row, rights
from teams_app.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = services.with_counts(Dataset.objects.select_related("team"))
    dataset = get_row(request, datasets, pk, Role.REVIEWER)
    form = FreezeForm.of(request, dataset)
    if request.method == "POST" and form.is_valid():
        run = services.start_freeze(
            dataset=dataset, by=request.user, **form.cleaned_data
        )
        tasks.run_freeze.delay_on_commit(run.pk)
        return redirect("datasets:freeze_run", run.pk)
    context = {"dataset": dataset, "form": form}
    return render(request, "datasets_app/freeze.html", context)


@require_safe
def freeze_run(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _freeze_run(request, pk)


@login_required
def _freeze_run(request: HttpRequest, pk: int) -> HttpResponse:
    """To htmx, which asks every second: the part that changes, then the version."""
    freezes = FreezeRun.objects.select_related("dataset__team", "created_by", "version")
    run = get_row(request, freezes, pk, Role.VIEWER)
    is_update = request.htmx  # type: ignore[attr-defined]
    if is_update and run.version:
        return HttpResponseClientRedirect(
            reverse("datasets:version", args=[run.version_id])
        )
    part, page = "datasets_app/_freeze_run.html", "datasets_app/freeze_run.html"
    context = {"run": run, **rights(request, run)}
    return render(request, part if is_update else page, context)


@require_POST
@login_required
def freeze_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    freezes = FreezeRun.objects.select_related("dataset__team")
    run = get_row(request, freezes, pk, Role.REVIEWER)
    services.cancel_freeze(run, by=request.user)
    return redirect("datasets:freeze_run", run.pk)
