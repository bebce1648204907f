"""Frozen versions: the list, what is in one, its files, a new dataset from it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from datasets_app import tasks
from datasets_app.forms import CopyForm
from datasets_app.models import Dataset, DatasetVersion, Split
from datasets_app.services.errors import StorageFull
from datasets_app.services.exports import file_name
from datasets_app.services.version_copies import copy_version
from datasets_app.services.version_diffs import n_lines_of
from datasets_app.services.version_lines import with_texts
from datasets_app.views.access import get_row, rights
from datasets_app.views.asked import Asked, whole_number
from teams_app import audit
from teams_app.models import Role, Verb

PER_PAGE = 50
VERSIONS_PER_PAGE = 25
COMPARED_WITH = 50


@require_safe
@login_required
def version_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest first; `?before=` a number goes on from there."""
    dataset = get_row(request, Dataset.objects.select_related("team"), pk, Role.VIEWER)
    versions = dataset.versions.select_related("created_by").order_by("-number")
    if before := whole_number(request.GET.get("before", "")):
        versions = versions.filter(number__lt=before)
    found = list(versions[: VERSIONS_PER_PAGE + 1])
    context = {
        "dataset": dataset,
        "versions": found[:VERSIONS_PER_PAGE],
        "older": found[VERSIONS_PER_PAGE - 1].number
        if len(found) > VERSIONS_PER_PAGE
        else None,
        **rights(request, dataset),
    }
    return render(request, "datasets_app/version_list.html", context)


@require_safe
@login_required
def version_detail(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    others = version.dataset.versions.exclude(pk=version.pk).order_by("-number")
    numbers = list(others.values_list("number", flat=True)[:COMPARED_WITH])
    context = {
        "version": version,
        "same": version.first_with_same_content(),
        "others": numbers,
        "previous": next((n for n in numbers if n < version.number), None),
        **_manifest(request, version),
        **rights(request, version),
    }
    return render(request, "datasets_app/version_detail.html", context)


def _manifest(request: HttpRequest, version: DatasetVersion) -> dict[str, Any]:
    """A page of lines: they are numbered without a gap, so any is found at once."""
    asked = Asked.of(request.GET)
    rows = (
        version.rows.filter(split=asked.split, line_number__gte=asked.line)
        .order_by("line_number")
        .select_related("example")
        .only(
            *("version", "split", "line_number", "offset", "content_hash"),
            *("example__position", "example__content_hash", "example__deleted_at"),
        )[:PER_PAGE]
    )
    n_lines = n_lines_of(version, asked.split)
    next_line = asked.line + PER_PAGE
    return {
        "rows": with_texts(version, list(rows)),
        "asked": asked,
        "n_lines": n_lines,
        "next_line": next_line if next_line <= n_lines else None,
        "previous_line": max(1, asked.line - PER_PAGE) if asked.line > 1 else None,
    }


@require_safe
@login_required
def version_file(request: HttpRequest, pk: int, split: str) -> FileResponse:
    """The exact bytes that a provider gets."""
    version = _version(request, pk)
    if split not in Split.values or not version.file_of(split):
        raise Http404
    audit.record(Verb.DOWNLOADED, version, by=request.user, split=split)
    response = FileResponse(
        version.file_of(split).open("rb"),
        as_attachment=True,
        filename=file_name(version.dataset, f"-v{version.number}", f".{split}.jsonl"),
        content_type="application/jsonl",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def version_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """A new dataset with the rows of the version, filled by a worker."""
    version = _version(request, pk, Role.CURATOR)
    form = CopyForm.of(request, version)
    if request.method == "POST" and form.is_valid():
        try:
            dataset, runs = copy_version(
                version, name=form.cleaned_data["name"], by=request.user
            )
        except (ValidationError, StorageFull) as exc:
            form.add_error("name", getattr(exc, "messages", None) or str(exc))
        else:
            for run in runs:
                tasks.run_import.delay_on_commit(run.pk)
            messages.success(
                request,
                _("The dataset is there; a worker is putting the rows into it."),
            )
            return redirect("datasets:import_run", runs[0].pk)
    context = {"version": version, "dataset": version.dataset, "form": form}
    return render(request, "datasets_app/version_copy.html", context)


def _version(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> DatasetVersion:
    versions = DatasetVersion.objects.select_related("dataset__team", "created_by")
    return get_row(request, versions, pk, role)
