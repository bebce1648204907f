from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets_app.models import DatasetVersion, Split
from datasets_app.services.exports import file_name
from datasets_app.views.access import get_row, rights
from teams_app.models import Role

PER_PAGE = 50
FEW = 10


@require_safe
@login_required
def version_detail(request: HttpRequest, pk: int) -> HttpResponse:
    versions = DatasetVersion.objects.select_related("dataset__team", "created_by")
    version = get_row(request, versions, pk, Role.VIEWER)
    rows = (
        version.rows.order_by("split", "line_number")
        .select_related("example")
        .defer("example__messages", "example__tools", "example__text")
    )
    context = {
        "version": version,
        "same": version.first_with_same_content(),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "jobs": version.jobs.order_by("-pk")[:FEW],
        **rights(request, version),
    }
    return render(request, "datasets_app/version_detail.html", context)


@require_safe
@login_required
def version_file(request: HttpRequest, pk: int, split: str) -> FileResponse:
    """The exact bytes that a provider gets."""
    versions = DatasetVersion.objects.select_related("dataset__team")
    version = get_row(request, versions, pk, Role.VIEWER)
    if split not in Split.values or not version.file_of(split):
        raise Http404
    response = FileResponse(
        version.file_of(split).open("rb"),
        as_attachment=True,
        filename=file_name(version.dataset, f"-v{version.number}", f".{split}.jsonl"),
        content_type="application/jsonl",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response
