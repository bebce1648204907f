"""What an import left out, to take away: the report, and the lines themselves."""

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from datasets_app.models import ImportRun
from datasets_app.problem_texts import how_to_mend, what_is_wrong
from datasets_app.services.rejected_lines import rejected_lines
from datasets_app.views.access import get_row
from teams_app.csv_cells import csv_line
from teams_app.models import Role


@require_safe
@login_required
def import_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    run = get_row(request, ImportRun.objects.all(), pk, Role.VIEWER)
    return _download(
        _report_lines(run), "text/csv; charset=utf-8", f"import-{run.pk}.csv"
    )


@require_safe
@login_required
def import_rejected(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The lines that were left out, byte for byte as they stand in the file."""
    run = get_row(request, ImportRun.objects.all(), pk, Role.VIEWER)
    return _download(
        rejected_lines(run), "application/jsonl", f"import-{run.pk}-rejected.jsonl"
    )


def _download(
    content: Iterator[str] | Iterator[bytes], content_type: str, name: str
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _report_lines(run: ImportRun) -> Iterator[str]:
    yield "\ufeff"  # Excel reads the file as UTF-8 only so
    headings = _("Line"), _("Message"), _("What is wrong"), _("How to mend it")
    yield csv_line([*headings, _("The line itself")])
    for problem in run.problems.iterator():
        what = what_is_wrong(problem.code, problem.params)
        row = (what, how_to_mend(problem.code), problem.raw)
        number = problem.message_index
        place = str(problem.line_number), "" if number is None else str(number)
        yield csv_line([*place, *row])
    for duplicate in run.duplicates.annotate(row=F("example__position")).iterator():
        same = _("The dataset had this row already: row %(pk)s.") % {
            "pk": duplicate.row or "–"
        }
        yield csv_line([str(duplicate.line_number), "", same, "", ""])
