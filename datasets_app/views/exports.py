"""Rows to take away: the page that offers the formats, and the files themselves."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from datasets_app.export_texts import DESCRIPTIONS, REASONS, TITLES
from datasets_app.exports import Format, Row, Tally, write
from datasets_app.models import Dataset, DatasetVersion, Split
from datasets_app.services import exports
from datasets_app.services.selection import Selection
from datasets_app.views.access import get_row
from teams_app import audit
from teams_app.models import Role, Verb


@require_safe
@login_required
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """What the selection in the address can leave as."""
    dataset = _dataset(request, pk)
    selection = Selection.of(request.GET)
    query = selection.as_query()

    def url_of(format: Format) -> str:
        url = reverse("datasets:export_file", args=[dataset.pk, format.key])
        return f"{url}?{query}" if query else url

    rows = exports.selected_rows(dataset, selection)
    context = {
        "dataset": dataset,
        "is_filtered": bool(query),
        **_choices(dataset, rows, url_of),
    }
    return render(request, "datasets_app/export.html", context)


@require_safe
@login_required
def export_file(request: HttpRequest, pk: int, format: str) -> StreamingHttpResponse:
    dataset = _dataset(request, pk)
    chosen = _format(dataset, format)
    selection = Selection.of(request.GET)
    rows = exports.selected_rows(dataset, selection, with_extra=chosen.takes_extra)
    audit.record(Verb.EXPORTED, dataset, by=request.user, format=format)
    return _download(chosen, rows, exports.file_name(dataset))


@require_safe
@login_required
def version_export(request: HttpRequest, pk: int, split: str) -> HttpResponse:
    version = _version(request, pk, split)
    formats = "datasets:version_export_file"

    def url_of(format: Format) -> str:
        return reverse(formats, args=[version.pk, split, format.key])

    context = {
        "dataset": version.dataset,
        "version": version,
        "split": Split(split),
        **_choices(version.dataset, exports.frozen_rows(version, split), url_of),
    }
    return render(request, "datasets_app/export.html", context)


@require_safe
@login_required
def version_export_file(
    request: HttpRequest, pk: int, split: str, format: str
) -> StreamingHttpResponse:
    version = _version(request, pk, split)
    chosen = _format(version.dataset, format)
    name = exports.file_name(version.dataset, f"-v{version.number}", f".{split}")
    what = {"split": split, "format": format}
    audit.record(Verb.DOWNLOADED, version, by=request.user, **what)
    return _download(chosen, exports.frozen_rows(version, split), name)


def _dataset(request: HttpRequest, pk: int) -> Dataset:
    datasets = Dataset.objects.select_related("team")
    return get_row(request, datasets, pk, Role.VIEWER)


def _version(request: HttpRequest, pk: int, split: str) -> DatasetVersion:
    versions = DatasetVersion.objects.select_related("dataset__team")
    version = get_row(request, versions, pk, Role.VIEWER)
    if split not in Split.values or not version.file_of(split):
        raise Http404
    return version


def _format(dataset: Dataset, key: str) -> Format:
    for format in exports.formats_for(dataset):
        if format.key == key:
            return format
    raise Http404


def _choices(dataset: Dataset, rows: Iterable[Row], url_of: Any) -> dict[str, Any]:
    formats = exports.formats_for(dataset)
    tallies, are_all = exports.what_fits(rows, formats)
    choices = [
        {
            "title": TITLES[format.key],
            "description": DESCRIPTIONS[format.key],
            "url": url_of(format),
            "ending": format.ending,
            "tally": tallies[format.key],
            "reasons": [
                (n, REASONS[reason])
                for reason, n in tallies[format.key].left_out.most_common()
            ],
        }
        for format in formats
    ]
    n_looked_at = choices[0]["tally"].n_rows
    return {"choices": choices, "are_all": are_all, "n_looked_at": n_looked_at}


def _download(format: Format, rows: Iterable[Row], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(
        write(format, rows, Tally()), content_type=format.content_type
    )
    short = format.key if format.key != format.ending else ""
    file_name = ".".join(filter(None, (name, short, format.ending)))
    response["Content-Disposition"] = content_disposition_header(True, file_name)
    response["X-Content-Type-Options"] = "nosniff"
    return response
