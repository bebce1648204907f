"""The pre-flight of a dataset: what a check found, and mending it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import tasks
from datasets_app.checks.codes import is_structure
from datasets_app.finding_texts import TEXTS as FINDINGS
from datasets_app.models import BulkEdit, BulkKind, CheckRun, Dataset
from datasets_app.problem_texts import TEXTS as PROBLEMS
from datasets_app.services import checks, runs
from datasets_app.views.access import get_row, rights
from datasets_app.views.keyset import keyset_page
from teams_app.models import Role
from teams_app.rows import read_key

PER_PAGE = 25


@require_safe
def preflight(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _preflight(request, pk)


@login_required
def _preflight(request: HttpRequest, pk: int) -> HttpResponse:
    """To htmx, which asks while a check runs: its state; the whole page at its end."""
    dataset = _dataset(request, pk, Role.VIEWER)
    run = checks.newest_check(dataset)
    is_update = request.htmx  # type: ignore[attr-defined]
    context: dict[str, Any] = {"dataset": dataset, "run": run}
    context |= rights(request, dataset)
    if is_update:
        if run is None or not run.is_open:
            return HttpResponseClientRefresh()
        return render(request, "datasets_app/_check_run.html", context)
    context["report"] = checks.report_of(dataset, with_rows=True)
    context["mends"] = checks.newest_mends(dataset)
    return render(request, "datasets_app/preflight.html", context)


def _dataset(request: HttpRequest, pk: int, role: Role) -> Dataset:
    datasets = Dataset.objects.select_related("team", "base_model")
    dataset: Dataset = get_row(request, datasets, pk, role)
    return dataset


@require_POST
@login_required
def preflight_check(request: HttpRequest, pk: int) -> HttpResponse:
    dataset = _dataset(request, pk, Role.CURATOR)
    _check_again(request, dataset)
    return redirect("datasets:preflight", dataset.pk)


def _check_again(request: HttpRequest, dataset: Dataset) -> None:
    run = checks.request_check(dataset, by=request.user)
    tasks.run_check.delay_on_commit(run.pk)


@require_POST
@login_required
def check_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = CheckRun.objects.select_related("dataset__team")
    run = get_row(request, found, pk, Role.CURATOR)
    runs.cancel(run)
    return redirect("datasets:preflight", run.dataset_id)


@require_safe
@login_required
def preflight_code(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Every row that has one finding."""
    dataset = _dataset(request, pk, Role.VIEWER)
    if code not in (PROBLEMS if is_structure(code) else FINDINGS):
        raise Http404
    page = keyset_page(checks.findings_of(dataset, code), request.GET, PER_PAGE)
    findings = checks.shown(page.rows)
    if code == "too_long_for_model":
        checks.add_cuts(dataset, findings)
    context = {
        "dataset": dataset,
        "code": code,
        "page": page,
        "findings": findings,
        "mends": checks.newest_mends(dataset),
        **rights(request, dataset),
    }
    return render(request, "datasets_app/preflight_code.html", context)


@require_POST
@login_required
def mend(request: HttpRequest, pk: int) -> HttpResponse:
    """Mend one row (`example`), or without one all that have the finding (`code`)."""
    dataset = _dataset(request, pk, Role.CURATOR)
    named = request.POST.get("example", "")
    try:
        edit = checks.start_mend(
            dataset,
            code=request.POST.get("code", ""),
            mend=request.POST.get("mend", ""),
            # What names no row must not mean all of them.
            example=read_key(named) if named else None,
            by=request.user,
        )
    except checks.BadEdit as exc:
        messages.error(request, str(exc))
    else:
        _finish(request, edit)
    return _back(request, dataset)


@require_POST
@login_required
def mend_undo(request: HttpRequest, pk: int) -> HttpResponse:
    edits = BulkEdit.objects.filter(kind=BulkKind.MEND).select_related("dataset__team")
    edit = get_row(request, edits, pk, Role.CURATOR)
    try:
        undo = checks.undo_edit(edit, by=request.user)
    except checks.BadEdit as exc:
        messages.error(request, str(exc))
    else:
        _finish(request, undo)
    return _back(request, edit.dataset)


def _finish(request: HttpRequest, edit: BulkEdit) -> None:
    """Few rows are done at once; many by a worker. Then all is checked again."""
    if checks.is_small(edit):
        checks.run_edit(edit)
        edit.refresh_from_db()
        messages.success(request, _("Rows changed: %(n)d.") % {"n": edit.n_changed})
        _check_again(request, edit.dataset)
    else:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
        messages.info(
            request,
            _("A worker changes the rows; the dataset is checked again afterwards."),
        )


def _back(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """To the page of the finding or of the example, if the form was on it."""
    code = request.POST.get("back", "")
    example = read_key(request.POST.get("example", ""))
    if code == "example" and example:
        return redirect("admin:datasets_app_example_change", example)
    if code in PROBLEMS or code in FINDINGS:
        return redirect("datasets:preflight_code", dataset.pk, code)
    return redirect("datasets:preflight", dataset.pk)
