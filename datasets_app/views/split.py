from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from datasets_app import tasks
from datasets_app.forms import posted
from datasets_app.models import BulkKind, Dataset
from datasets_app.services import bulk_edits
from datasets_app.services.bulk_edits.splits import MOST_PERCENT
from datasets_app.views.access import get_row
from teams_app.models import Role

USUAL_PERCENT = 10


class SplitForm(forms.Form):
    percent = forms.IntegerField(
        label=_("Percent of the rows for validation"),
        help_text=_("From 0 to 50; 10 is usual. Zero puts every row into training."),
        min_value=0,
        max_value=MOST_PERCENT,
        initial=USUAL_PERCENT,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Divide the dataset anew, as one step that can be undone."""
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.CURATOR)
    form = SplitForm(posted(request))
    if request.method == "POST" and form.is_valid():
        return _split(request, dataset, form.cleaned_data)
    context = {"dataset": dataset, "form": form}
    return render(request, "datasets_app/split.html", context)


def _split(request: HttpRequest, dataset: Dataset, params: dict[str, Any]) -> Any:
    edit = bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.RESPLIT, by=request.user, params=params
    )
    if bulk_edits.is_small(edit):
        bulk_edits.run_edit(edit)
    else:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
    return redirect("datasets:edit", edit.pk)
