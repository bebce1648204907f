from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from datasets_app import services, tasks
from datasets_app.forms import ImportForm
from datasets_app.models import Dataset
from datasets_app.views.access import get_row
from teams_app.models import Role


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
