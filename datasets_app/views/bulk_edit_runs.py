"""Bulk edits that were started: how far each is, what it did, and taking it back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import tasks
from datasets_app.models import BulkEdit, Dataset
from datasets_app.services import bulk_edits
from datasets_app.views.access import get_row, rights
from teams_app.access import has_role, require_role
from teams_app.models import Role

_EDITS = BulkEdit.objects.select_related(
    "dataset__team", "created_by", "undoes", "undone_by"
)
PER_PAGE = 50
LONGEST_KEY = 19


@require_safe
@login_required
def edit_list(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.VIEWER)
    edits = dataset.bulk_edits.select_related("created_by", "undoes", "undone_by")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < LONGEST_KEY:
        edits = edits.filter(pk__lt=int(before))
    found = list(edits.order_by("-pk")[: PER_PAGE + 1])
    context = {
        "dataset": dataset,
        "edits": found[:PER_PAGE],
        "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "is_first": not before,
    }
    return render(request, "datasets_app/bulk_edit_list.html", context)


@require_safe
def edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _edit_page(request, pk)


@login_required
def _edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page; to htmx, while the edit runs, only the part that changes."""
    edit = get_row(request, _EDITS, pk, Role.VIEWER)
    if request.htmx and not edit.is_open:  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()
    context = {
        "edit": edit,
        "n_left": edit.n_done - edit.n_changed,
        "why_not_undone": bulk_edits.why_not_undone(edit),
        "may_resume": bulk_edits.may_resume(edit, by=request.user),
        "may_edit": has_role(request.user, edit, _role(edit)),
        **rights(request, edit),
    }
    part = "_bulk_edit" if request.htmx else "bulk_edit"  # type: ignore[attr-defined]
    return render(request, f"datasets_app/{part}.html", context)


def _role(edit: BulkEdit) -> Role:
    """Who may do it may also stop it and take it back."""
    return bulk_edits.kind_of(edit).role(edit)


def _own(request: HttpRequest, pk: int) -> BulkEdit:
    edit = get_row(request, _EDITS, pk, Role.CURATOR)
    require_role(request.user, edit, _role(edit))
    return edit


@require_POST
@login_required
def edit_undo(request: HttpRequest, pk: int) -> HttpResponse:
    edit = _own(request, pk)
    try:
        undo = bulk_edits.undo_edit(edit, by=request.user)
    except bulk_edits.BadEdit as exc:
        messages.error(request, str(exc))
        return redirect("datasets:edit", edit.pk)
    if bulk_edits.is_small(undo):
        bulk_edits.run_edit(undo)
    else:
        tasks.run_bulk_edit.delay_on_commit(undo.pk)
    return redirect("datasets:edit", undo.pk)


@require_POST
@login_required
def edit_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    edit = _own(request, pk)
    if not bulk_edits.cancel_edit(edit, by=request.user):
        messages.info(request, _("The edit had ended before it could be cancelled."))
    return redirect("datasets:edit", edit.pk)


@require_POST
@login_required
def edit_resume(request: HttpRequest, pk: int) -> HttpResponse:
    edit = _own(request, pk)
    try:
        is_resumed = bulk_edits.resume_edit(edit, by=request.user)
    except bulk_edits.BadEdit as exc:
        messages.error(request, str(exc))
        return redirect("datasets:edit", edit.pk)
    if is_resumed:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
    else:
        messages.info(request, _("The edit goes on already, or has been undone."))
    return redirect("datasets:edit", edit.pk)
