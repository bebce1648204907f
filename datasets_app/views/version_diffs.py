"""Two versions of a dataset side by side."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from datasets_app.chat_format import question_and_answer
from datasets_app.formats import to_record
from datasets_app.jsonl import Line
from datasets_app.models import DatasetVersion
from datasets_app.row_diff import row_diff
from datasets_app.services.exports import FROZEN_AS
from datasets_app.services.version_diffs import (
    CHANGED,
    Difference,
    Lines,
    Place,
    count_differences,
    find_differences,
    n_lines_of,
    read_line,
)
from datasets_app.views.access import get_row
from datasets_app.views.asked import Asked, whole_number
from teams_app.models import Role

PER_PAGE = 20
TEXT_LENGTH = 200
WORDS = {
    "changed": _("Changed"),
    "added": _("Added"),
    "removed": _("Removed"),
    "moved": _("In the other part"),
}


@require_safe
@login_required
def version_diff(request: HttpRequest, pk: int) -> HttpResponse:
    """What differs in the version from `?with=` another one; from the one before it."""
    versions = DatasetVersion.objects.select_related("dataset__team")
    new = get_row(request, versions, pk, Role.VIEWER)
    old = _other(new, versions, request.GET.get("with", ""))
    asked = Asked.of(request.GET)
    lines = Lines.around(asked.split, asked.line)
    counts = count_differences(old, new, lines)
    kind = asked.kind or next((k for k in WORDS if counts[k]), CHANGED)
    from_here = Lines(lines.split, max(lines.first, asked.line), lines.last)
    found = find_differences(old, new, kind, from_here, PER_PAGE + 1)
    context = {
        "old": old,
        "new": new,
        "dataset": new.dataset,
        "kind": kind,
        "asked": asked,
        "lines": lines,
        "kinds": [(key, word, counts[key]) for key, word in WORDS.items()],
        "has_validation": old.n_validation_rows or new.n_validation_rows,
        "rows": [_shown(old, new, each) for each in found[:PER_PAGE]],
        "next_line": _line(found[PER_PAGE]) if len(found) > PER_PAGE else None,
        "is_more": lines.last < max(n_lines_of(v, lines.split) for v in (old, new)),
    }
    return render(request, "datasets_app/version_diff.html", context)


def _other(
    new: DatasetVersion, versions: QuerySet[DatasetVersion], number: str
) -> DatasetVersion:
    others = versions.filter(dataset=new.dataset).exclude(pk=new.pk)
    chosen = whole_number(number)
    wanted = {"number": chosen} if chosen else {"number__lt": new.number}
    old = others.filter(**wanted).order_by("-number").first()
    if old is None:
        raise Http404
    return old


def _line(difference: Difference) -> int:
    place = difference.new or difference.old
    return place.line_number if place else 1


def _shown(old: DatasetVersion, new: DatasetVersion, each: Difference) -> Any:
    before = _record(old, each.old) if each.old else None
    after = _record(new, each.new) if each.new else None
    question, answer = question_and_answer(after or before or {}, TEXT_LENGTH)
    return {
        "place": each,
        "question": question,
        "answer": answer,
        "is_too_long": (each.old and not before) or (each.new and not after),
        "pairs": row_diff(before, after) if before and after else [],
    }


def _record(version: DatasetVersion, place: Place) -> dict[str, Any] | None:
    data = read_line(version, place)
    if data is None:
        return None
    line = Line(place.line_number, place.offset + len(data), data)
    return to_record(line, FROZEN_AS[version.dataset.method])
