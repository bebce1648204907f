"""The same question to the tuned model and to its base model, side by side."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from jobs_app import services
from jobs_app.forms import AskForm
from jobs_app.models import FineTuningJob
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.questions import AskableModel, askable_model, base_model
from jobs_app.views.access import job_or_404, signed_in


@require_POST
@signed_in
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """A column per model; each then fetches its own answer, so neither waits."""
    job = job_or_404(request.user, pk)
    form = AskForm(request.POST)
    columns = _columns(job, form) if form.is_valid() else []
    part = "_answers.html" if request.htmx else "answers.html"  # type: ignore[attr-defined]
    context = {"job": job, "form": form, "columns": columns}
    return render(request, f"jobs_app/{part}", context)


def _columns(job: FineTuningJob, form: AskForm) -> list[AskableModel]:
    tuned = askable_model(job, form.cleaned_data["tuned"])
    return [base_model(job), *([tuned] if tuned else [])]


@require_POST
@signed_in
def answer(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """One model's answer. `key` names the base, the tuned model or a checkpoint."""
    job = job_or_404(request.user, pk)
    model = askable_model(job, key)
    form = AskForm(request.POST)
    if model is None or not form.is_valid():
        raise Http404
    outcome = _ask(job, model, form)
    return render(request, "jobs_app/_answer.html", {"model": model, **outcome})


def _ask(job: FineTuningJob, model: AskableModel, form: AskForm) -> dict[str, Any]:
    try:
        reply = services.ask(
            provider=job.provider, model=model.name, messages=form.messages()
        )
    except (ProviderUnavailable, ProviderRejected) as exc:
        return {"problem": str(exc)}
    return {"reply": reply}
