"""Undoing a whole import: what that means is shown first, then a worker does it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from datasets_app import tasks
from datasets_app.forms import UndoImportForm, posted
from datasets_app.models import ImportRun
from datasets_app.services import import_undo as services
from datasets_app.services.bulk_edits import BadEdit
from datasets_app.services.imported_rows import changed_since
from datasets_app.views.access import get_row
from teams_app.models import Role

COUNTED = 1_000  # changed rows; of more it is only said that there are more
_RUNS = ImportRun.objects.select_related("dataset__team", "undone_by__undone_by")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_row(request, _RUNS, pk, Role.CURATOR)
    form = UndoImportForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            edit = services.undo_import(run, by=request.user, **form.cleaned_data)
        except BadEdit as exc:
            form.add_error(None, str(exc))
        else:
            tasks.run_bulk_edit.delay_on_commit(edit.pk)
            return redirect("datasets:import_run", run.pk)
    n_changed = len(changed_since(run).values_list("pk")[: COUNTED + 1])
    if not n_changed and not form.is_bound:
        del form.fields["keep_changed"]  # nothing to choose
    context = {
        "run": run,
        "form": form,
        "why_not": services.why_not_undone(run),
        "n_changed": min(n_changed, COUNTED),
        "has_more": n_changed > COUNTED,
    }
    return render(request, "datasets_app/import_undo.html", context)


@require_POST
@login_required
def import_redo(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the rows of an undone import back."""
    run = get_row(request, _RUNS, pk, Role.CURATOR)
    try:
        edit = services.redo_import(run, by=request.user)
    except BadEdit as exc:
        messages.error(request, str(exc))
    else:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
    return redirect("datasets:import_run", run.pk)
