"""A page for each line that an import left out: what is wrong, and the line itself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from datasets_app.forms import MendForm, posted
from datasets_app.models import ImportProblem, ImportRun
from datasets_app.services import DatasetsError, mending
from datasets_app.views.access import get_row
from teams_app.models import Role

_RUNS = ImportRun.objects.select_related("dataset__team")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_mend(request: HttpRequest, pk: int, problem_pk: int) -> HttpResponse:
    """`problem_pk`: the line's first problem. What was typed stays until it is good."""
    run = get_row(request, _RUNS, pk, Role.CURATOR)
    problem = get_object_or_404(run.problems.exclude(raw=""), pk=problem_pk)
    problem.import_run = run
    if run.is_open:
        messages.info(request, _("Lines can be mended when the import has ended."))
        return redirect("datasets:import_run", run.pk)
    form, found = MendForm(posted(request)), mending.problems_of_line(problem)
    if request.method == "POST" and form.is_valid():
        try:
            mended = mending.mend_line(
                problem, form.cleaned_data["text"], by=request.user
            )
        except DatasetsError as exc:
            form.add_error(None, str(exc))
        else:
            if mended.example is not None:
                return _onwards(request, problem, mended)
            found = mending.as_problems(problem, mended.problems)
    return _shown(request, problem, form, found)


def _onwards(
    request: HttpRequest, problem: ImportProblem, mended: mending.Mended
) -> HttpResponse:
    """To the next line that is to be mended, or back to the import."""
    said = {"line": problem.line_number, "row": mended.example.position}  # type: ignore[union-attr]
    if mended.was_there:
        messages.info(
            request, _("Line %(line)s: the dataset has it as row %(row)s.") % said
        )
    else:
        messages.success(request, _("Line %(line)s was added as row %(row)s.") % said)
    following = mending.next_line(problem)
    if following is None:
        return redirect("datasets:import_run", problem.import_run_id)
    return redirect("datasets:import_mend", problem.import_run_id, following.pk)


def _shown(
    request: HttpRequest,
    problem: ImportProblem,
    form: MendForm,
    found: list[ImportProblem],
) -> HttpResponse:
    text = None
    if not form.is_bound:
        text = mending.text_to_mend(problem)
        form.initial["text"] = text
    context = {
        "run": problem.import_run,
        "problem": problem,
        "problems": found,
        "form": form,
        "is_too_long": not form.is_bound and text is None,
        "is_incomplete": mending.is_incomplete(problem),
        "following": mending.next_line(problem),
    }
    return render(request, "datasets_app/mend.html", context)
