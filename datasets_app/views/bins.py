"""The bin of a dataset: deleted rows, until they are put back or gone for good."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets_app.models import Dataset, Example
from datasets_app.services.long_rows import previews_of
from datasets_app.views.access import get_row, rights
from datasets_app.views.keyset import keyset_page
from teams_app.access import has_role
from teams_app.models import Role

PER_PAGE = 50


@require_safe
@login_required
def bin_page(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.VIEWER)
    deleted = Example.with_deleted.filter(dataset=dataset, deleted_at__isnull=False)
    page = keyset_page(
        deleted.select_related("updated_by").only(
            "position", "deleted_at", "updated_by__username"
        ),
        request.GET,
        PER_PAGE,
    )
    previews = previews_of([row.pk for row in page.rows], deleted)
    context = {
        "dataset": dataset,
        "page": page,
        "rows": [
            {"row": row, "question": question, "answer": answer}
            for row in page.rows
            for question, answer in [previews.get(row.pk, ("", ""))]
        ],
        "may_purge": has_role(request.user, dataset, Role.OWNER),
        **rights(request, dataset),
    }
    return render(request, "datasets_app/bin.html", context)
