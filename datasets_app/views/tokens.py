"""The tokens of a dataset, and the base model that they are counted for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from datasets_app import services
from datasets_app.forms import BaseModelForm
from datasets_app.models import CountRun, Dataset
from datasets_app.services import runs
from datasets_app.tasks import run_count
from datasets_app.views.access import get_row, rights
from teams_app.models import Role

DATASETS = Dataset.objects.select_related("team", "base_model")


@require_safe
@login_required
def tokens(request: HttpRequest, pk: int) -> HttpResponse:
    """The card of the dataset's page, which asks again while tokens are counted."""
    dataset = get_row(request, DATASETS.all(), pk, Role.VIEWER)
    context = {
        "dataset": dataset,
        **tokens_context(dataset),
        **rights(request, dataset),
    }
    return render(request, "datasets_app/_tokens.html", context)


def tokens_context(dataset: Dataset) -> dict[str, object]:
    return {
        "tokens": services.token_figures(dataset),
        "base_model_form": BaseModelForm(instance=dataset),
    }


@require_POST
@login_required
def choose_base_model(request: HttpRequest, pk: int) -> HttpResponse:
    """Count for another model from now on; the same one again tries once more."""
    dataset = get_row(request, DATASETS.all(), pk, Role.CURATOR)
    form = BaseModelForm(request.POST, instance=dataset)
    if form.is_valid():
        model = form.cleaned_data["base_model"]
        run = services.choose_base_model(dataset, model, by=request.user)
        if run is not None:
            run_count.delay_on_commit(run.pk)
    return redirect(f"{reverse('datasets:detail', args=[pk])}#tokens")


@require_POST
@login_required
def count_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_row(request, CountRun.objects.select_related("dataset"), pk, Role.CURATOR)
    runs.cancel(run)
    return redirect(f"{reverse('datasets:detail', args=[run.dataset_id])}#tokens")
