import csv
from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import services, tasks
from datasets_app.forms import ImportForm
from datasets_app.models import Dataset, ImportRun
from datasets_app.problem_texts import how_to_mend, what_is_wrong
from datasets_app.views.access import get_row, rights
from teams_app.models import Role

PER_PAGE = 50
# Korean and Japanese spreadsheets take the wide signs for formulas, too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_new(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.CURATOR)
    form = ImportForm.of(request)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = services.start_import(
                dataset=dataset,
                file_name=file.name,
                by=request.user,
                **form.cleaned_data,
            )
        except services.StorageFull as exc:
            form.add_error("file", str(exc))
        else:
            tasks.run_import.delay_on_commit(run.pk)
            return redirect("datasets:import_run", run.pk)
    context = {"dataset": dataset, "form": form}
    return render(request, "datasets_app/import_new.html", context)


@require_safe
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _import_run(request, pk)


@login_required
def _import_run(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page; to htmx, which asks every second, only the part that changes."""
    runs = ImportRun.objects.select_related("dataset__team", "created_by")
    run = get_row(request, runs, pk, Role.VIEWER)
    problems = Paginator(run.problems.all(), PER_PAGE)
    context = {
        "run": run,
        "page": problems.get_page(request.GET.get("page")),
        **rights(request, run),
    }
    part = "datasets_app/_import_run.html"
    return render(
        request,
        part if request.htmx else "datasets_app/import_run.html",  # type: ignore[attr-defined]
        context,
    )


@require_safe
@login_required
def import_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    run = get_row(request, ImportRun.objects.all(), pk, Role.VIEWER)
    response = StreamingHttpResponse(
        _report_lines(run), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="import-{run.pk}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class _Echo:
    """What csv.writer writes to, when the line itself is wanted."""

    def write(self, line: str) -> str:
        return line


def _report_lines(run: ImportRun) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # Excel reads the file as UTF-8 only so
    headings = _("Line"), _("Message"), _("What is wrong"), _("How to mend it")
    yield writer.writerow([*headings, _("The line itself")])
    for problem in run.problems.iterator():
        what = what_is_wrong(problem.code, problem.params)
        row = (what, how_to_mend(problem.code), problem.raw)
        number = problem.message_index
        yield writer.writerow(
            [problem.line_number, "" if number is None else number, *map(_tame, row)]
        )


def _tame(text: str) -> str:
    """No spreadsheet takes the text for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
