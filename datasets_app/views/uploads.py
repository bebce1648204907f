"""From a chosen file to a started import: upload, look at the first rows, start."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from datasets_app import formats, services, tasks
from datasets_app.import_forms import StartForm, UploadForm
from datasets_app.models import Dataset, FileFormat, ImportRun, Method, RunStatus
from datasets_app.services.previews import Look, look_at
from datasets_app.views.access import get_row
from teams_app.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_new(request: HttpRequest, pk: int) -> HttpResponse:
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.CURATOR)
    form = UploadForm.of(request)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = services.store_upload(
                dataset=dataset, file=file, file_name=file.name, by=request.user
            )
        except services.DatasetsError as exc:
            form.add_error("file", str(exc))
        else:
            return redirect("datasets:import_preview", run.pk)
    context = {"dataset": dataset, "form": form}
    return render(request, "datasets_app/import_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The first rows as they would be stored; to htmx, for what is chosen just now."""
    runs = ImportRun.objects.select_related("dataset__team")
    run = get_row(request, runs, pk, Role.CURATOR)
    if run.status != RunStatus.DRAFT:
        return redirect("datasets:import_run", run.pk)
    if "drop" in request.POST:
        services.drop_upload(run)
        return redirect("datasets:import", run.dataset_id)
    data = request.POST if request.method == "POST" else request.GET
    look = look_at(run, _format(data, run))
    form = StartForm(data if "format" in data else None, run=run, look=look)
    is_start = request.method == "POST" and "look" not in data and form.is_valid()
    if is_start and _start(request, run, form):
        return redirect("datasets:import_run", run.pk)
    return _shown(request, run, look, form)


def _format(data: Any, run: ImportRun) -> str:
    """What is chosen, or what was recognised; Parquet is nothing else."""
    chosen = data.get("format")
    fits = (chosen == formats.PARQUET) == (run.format == formats.PARQUET)
    return chosen if chosen in FileFormat.values and fits else str(run.format)


def _start(request: HttpRequest, run: ImportRun, form: StartForm) -> bool:
    chosen = ("format", "split", "on_duplicate", "strict")
    choices = {name: form.cleaned_data[name] for name in chosen}
    try:
        is_started = services.start_upload(
            run, mapping=form.mapping, by=request.user, **choices
        )
    except services.DatasetsError as exc:
        form.add_error(None, str(exc))
        return False
    if is_started:
        tasks.run_import.delay_on_commit(run.pk)
    else:
        messages.info(request, _("The import was started already."))
    return True


def _shown(
    request: HttpRequest, run: ImportRun, look: Look, form: StartForm
) -> HttpResponse:
    rows = look.rows(form.mapping)
    method = formats.method_of(look.format, form.mapping)
    context = {
        "run": run,
        "form": form,
        "look": look,
        "rows": rows,
        "n_bad": sum(bool(row.problems) for row in rows),
        "method": Method(method).label,
        "is_other_method": method != run.dataset.method,
        **_recognised(run),
    }
    part = "_import_preview" if request.htmx else "import_preview"  # type: ignore[attr-defined]
    return render(request, f"datasets_app/{part}.html", context)


def _recognised(run: ImportRun) -> dict[str, Any]:
    try:
        with run.file.open("rb") as file:
            found = services.recognise(file, run.file_name)
    except (services.DatasetsError, FileNotFoundError):
        return {}
    return {"found": found, "found_label": FileFormat(found.format).label}
