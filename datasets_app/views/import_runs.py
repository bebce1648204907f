"""One import: how far it is, what became of every line, and what to do with it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import services, tasks
from datasets_app.models import ImportRun, RunStatus
from datasets_app.services.import_undo import is_undone, undo_of
from datasets_app.views.access import get_row, rights
from datasets_app.views.keyset import keyset_page
from teams_app.models import Role

_RUNS = ImportRun.objects.select_related(
    "dataset__team", "created_by", "undone_by__undone_by"
)
PER_PAGE = 50
DUPLICATES_SHOWN = 20


@require_safe
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _import_run(request, pk)


@login_required
def _import_run(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page; to htmx, which asks every second, only the part that changes.

    When the import has ended the whole page changes, its buttons too.
    """
    run = get_row(request, _RUNS, pk, Role.VIEWER)
    undo = undo_of(run)
    is_moving = run.is_open or bool(undo and undo.is_open)
    if request.htmx and not is_moving:  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()
    its_rights = rights(request, run)
    if run.status == RunStatus.DRAFT and its_rights["may_curate"]:
        return redirect("datasets:import_preview", run.pk)
    context = {
        "run": run,
        "may_mend": its_rights["may_curate"] and not run.is_open,
        "undo": undo,
        "is_moving": is_moving,
        "is_undone": is_undone(run),
        "page": keyset_page(run.problems.all(), request.GET, PER_PAGE),
        "duplicates": run.duplicates.annotate(row=F("example__position"))[
            :DUPLICATES_SHOWN
        ],
        **its_rights,
    }
    part = "_import_run" if request.htmx else "import_run"  # type: ignore[attr-defined]
    return render(request, f"datasets_app/{part}.html", context)


@require_POST
@login_required
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_row(request, ImportRun.objects.all(), pk, Role.CURATOR)
    if not services.cancel_import(run, by=request.user):
        messages.info(request, _("The import had ended before it could be cancelled."))
    return redirect("datasets:import_run", run.pk)


@require_POST
@login_required
def import_resume(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_row(request, ImportRun.objects.all(), pk, Role.CURATOR)
    if services.resume_import(run, by=request.user):
        tasks.run_import.delay_on_commit(run.pk)
    else:
        messages.info(request, _("The import goes on already, or has finished."))
    return redirect("datasets:import_run", run.pk)
