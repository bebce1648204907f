"""Starting a bulk edit: what to do with which rows, a look at it, and go."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from datasets_app import tasks
from datasets_app.edit_forms import FORM_OF, EditForm
from datasets_app.forms import posted
from datasets_app.models import BulkEdit, BulkKind, Dataset, ReviewState
from datasets_app.services import bulk_edits
from datasets_app.services.bulk_edits.previewing import count_meant, preview
from datasets_app.services.selection import Selection
from datasets_app.text_diff import elided, word_diff
from datasets_app.turn_text import pretty, turns_text
from datasets_app.views.access import get_row
from teams_app.access import require_role
from teams_app.models import Role

_DATASETS = Dataset.objects.select_related("team")
PREFIX = "edit"  # of the form's fields, beside those of the selection


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_new(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows are those of the address or the form: a filter, or rows ticked in it.

    `kind` says what to do; `scope=all` that all rows of the filter are meant. A POST
    with `preview` shows what would change; any other one does it.
    """
    dataset = get_row(request, _DATASETS, pk, Role.CURATOR)
    values = request.POST if request.method == "POST" else request.GET
    kind, initial = _ALIASES.get(values.get("kind", ""), (values.get("kind", ""), {}))
    if kind not in FORM_OF:
        raise Http404
    selection = _selection(values)
    if selection is None:
        messages.error(request, _("Choose rows first: none is ticked."))
        return redirect(_back(request, values, dataset))
    form = _form(request, kind, initial, dataset)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        edit = _edit(dataset, kind, selection, form, request.user)
        try:
            bulk_edits.kind_of(edit).clean(edit)
            require_role(request.user, dataset, bulk_edits.kind_of(edit).role(edit))
            if "preview" not in values:
                return _go(request, edit, values.get("next", ""))
            context = _preview_context(edit)
        except bulk_edits.BadEdit as exc:
            form.add_error(None, str(exc))
    context |= {
        "dataset": dataset,
        "kind": kind,
        "title": BulkKind(kind).label,
        "form": form,
        "carried": _carried(selection, values),
        "meant": count_meant(selection, dataset) if kind in _OF_LIVE_ROWS else None,
        "back": _back(request, values, dataset),
    }
    return render(request, "datasets_app/bulk_edit_new.html", context)


_OF_LIVE_ROWS = FORM_OF.keys() - {BulkKind.RESTORE, BulkKind.PURGE}
_ALIASES = {
    "approve": (BulkKind.STATE, {"to": ReviewState.APPROVED}),
    "reject": (BulkKind.STATE, {"to": ReviewState.REJECTED}),
    "to_review": (BulkKind.STATE, {"to": ReviewState.IN_REVIEW}),
}


def _selection(values: QueryDict) -> Selection | None:
    """None if rows were to be ticked, and none is: never all of them by mistake."""
    selection = Selection.of(values)
    if values.get("scope") == "all":
        return replace(selection, pks=())
    return selection if selection.pks else None


def _form(
    request: HttpRequest, kind: str, initial: dict[str, Any], dataset: Dataset
) -> EditForm:
    return FORM_OF[kind](
        posted(request),
        dataset=dataset,
        by=request.user,
        prefix=PREFIX,
        initial=initial,
    )


def _edit(
    dataset: Dataset, kind: str, selection: Selection, form: EditForm, by: Any
) -> BulkEdit:
    return BulkEdit(
        dataset=dataset,
        kind=kind,
        params=form.params(),
        selection=selection.as_json(),
        created_by=by,
    )


def _carried(selection: Selection, values: QueryDict) -> list[tuple[str, str]]:
    """The rows and the way back, for the form to post once more."""
    carried = QueryDict(selection.as_query())
    pairs = [(name, each) for name in carried for each in carried.getlist(name)]
    kept = ("scope", "next")
    return [*pairs, *((name, values.get(name, "")) for name in kept)]


def _back(request: HttpRequest, values: QueryDict, dataset: Dataset) -> str:
    wanted = values.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
        return wanted
    return reverse("datasets:detail", args=[dataset.pk])


def _preview_context(edit: BulkEdit) -> dict[str, Any]:
    found = preview(edit)
    return {
        "preview": found,
        "rows": [
            {"example": each.example, "parts": _parts(each.before, each.after)}
            for each in found.changes
        ],
    }


def _parts(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    parts: list[Any] = []
    for name, value in after.items():
        if value != before[name]:
            text = turns_text if isinstance(value, list) else pretty
            parts += elided(word_diff(text(before[name]), text(value)))
    return parts


def _go(request: HttpRequest, edit: BulkEdit, wanted: str) -> HttpResponse:
    """A small edit is done at once, and its maker goes on where they were."""
    edit.save()
    if bulk_edits.is_small(edit):
        bulk_edits.run_edit(edit)
        edit.refresh_from_db()
    else:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
    page = reverse("datasets:edit", args=[edit.pk])
    may_return = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    if edit.is_open or edit.error or not may_return:
        return redirect(page)
    messages.success(
        request,
        format_html('{} <a href="{}">{}</a>', _done(edit), page, _("See it, or undo")),
    )
    return redirect(wanted)


def _done(edit: BulkEdit) -> str:
    n = edit.n_changed
    done = ngettext("%d example changed.", "%d examples changed.", n) % n
    if edit.n_done > n:
        n_left = edit.n_done - n
        done += (
            " "
            + ngettext("%d was left as it is.", "%d were left as they are.", n_left)
            % n_left
        )
    return done
