from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from datasets_app import services
from datasets_app.forms import DatasetForm, posted
from datasets_app.models import Dataset, DatasetVersion, Example
from datasets_app.services.long_rows import previews_of
from datasets_app.views.access import get_row, rights
from datasets_app.views.tokens import tokens_context
from teams_app.access import has_role_anywhere, require_role
from teams_app.models import Role

PER_PAGE = 25
FEW = 10


@require_safe
@login_required
def dataset_list(request: HttpRequest) -> HttpResponse:
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    datasets = (
        services.with_counts(Dataset.objects.visible_to(request.user))
        .annotate(
            newest_version=Subquery(newest.values("pk")[:1]),
            newest_number=Subquery(newest.values("number")[:1]),
        )
        .select_related("team")
        .order_by("name", "pk")
    )
    page = Paginator(datasets, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "may_add": has_role_anywhere(request.user, Role.CURATOR)}
    return render(request, "datasets_app/dataset_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def dataset_new(request: HttpRequest) -> HttpResponse:
    if not has_role_anywhere(request.user, Role.CURATOR):
        raise PermissionDenied(
            _(
                "This needs the role “curator”. "
                "An owner of your team can give it to you."
            )
        )
    form = DatasetForm(posted(request), user=request.user)
    if request.method == "POST" and form.is_valid():
        require_role(request.user, form.cleaned_data["team"], Role.CURATOR)
        dataset = services.create_dataset(**form.cleaned_data, by=request.user)
        return redirect("datasets:import", dataset.pk)
    return render(request, "datasets_app/dataset_new.html", {"form": form})


@require_safe
@login_required
def dataset_detail(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = services.with_counts(
        Dataset.objects.select_related("team", "base_model")
    )
    dataset = get_row(request, datasets, pk, Role.VIEWER)
    context = {
        "dataset": dataset,
        "examples": _recent_examples(dataset),
        "imports": dataset.import_runs.select_related("created_by")[:FEW],
        "versions": dataset.versions.select_related("created_by")[:FEW],
        **tokens_context(dataset),
        **rights(request, dataset),
    }
    return render(request, "datasets_app/dataset_detail.html", context)


def _recent_examples(dataset: Dataset) -> list[dict[str, object]]:
    newest = Example.objects.filter(dataset=dataset).order_by("-position", "-pk")
    rows = newest.only("state", "split", "is_valid", "n_tokens")[:FEW]
    previews = previews_of([row.pk for row in rows])
    return [
        {"row": row, "question": question, "answer": answer}
        for row in rows
        for question, answer in [previews.get(row.pk, ("", ""))]
    ]
