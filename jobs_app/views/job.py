"""A job's page, and the fragments by which it keeps itself up to date.

The page is cut so that an update swaps only what changed: nothing that a person types
into, opens or holds the focus of is ever replaced while its content stays the same.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs_app import advice, curves, services
from jobs_app.error_rows import rows_named
from jobs_app.forms import AskForm, ChartForm, ScheduleForm
from jobs_app.held_out import held_out_summary
from jobs_app.models import FineTuningJob, JobStatus
from jobs_app.progress import duration_of, progress_of
from jobs_app.providers import Ability, is_able, profile_of
from jobs_app.questions import first_system_prompt, tuned_models
from jobs_app.services.comparing import MAX_QUESTIONS
from jobs_app.services.model_ends import shutdown_of_job
from jobs_app.timeline import timeline
from jobs_app.views.access import job_or_404, signed_in
from jobs_app.views.approvals import approval_context
from jobs_app.views.decide import candidates_of
from teams_app.access import has_role
from teams_app.models import Role

NO_CONTENT = 204


@require_safe
@signed_in
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(request.user, pk)
    prompt = first_system_prompt(job.dataset_version)
    context = {
        **_context(request, job),
        "version": job.dataset_version,
        "ask_form": AskForm(initial={"system": prompt}),
        **_held_out_context(request, job),
    }
    return render(request, "jobs_app/job_detail.html", context)


@require_safe
@signed_in
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """What changed since the page was drawn; nothing at all if nothing did.

    Once the job is finished the answer asks no further: it has no trigger.
    """
    job = job_or_404(request.user, pk)
    seen_status, _dot, _rest = request.GET.get("seen", "").partition(".")
    if request.GET.get("seen") == _fingerprint(job):
        return HttpResponse(status=NO_CONTENT)
    context = {
        **_context(request, job),
        "is_update": True,
        "status_changed": job.status != seen_status,
        **_held_out_context(request, job),
    }
    return render(request, "jobs_app/_job_update.html", context)


@require_safe
@signed_in
def charts(request: HttpRequest, pk: int) -> HttpResponse:
    """The curves, after a person chose another part or scale of them."""
    job = job_or_404(request.user, pk)
    figures = curves.figures(services.metrics_of(job), ChartForm(request.GET).view())
    return render(request, "jobs_app/_charts.html", {"job": job, "figures": figures})


@require_safe
@signed_in
def points(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures behind the curves, once somebody opens the table."""
    job = job_or_404(request.user, pk)
    context = _points_context(services.metrics_of(job), is_shown=True)
    return render(request, "jobs_app/_points.html", context)


@require_safe
@signed_in
def held_out(request: HttpRequest, pk: int) -> HttpResponse:
    """The held-out questions while their answers come in."""
    job = job_or_404(request.user, pk)
    context = {"job": job, **_held_out_context(request, job)}
    return render(request, "jobs_app/_held_out.html", context)


def _context(request: HttpRequest, job: FineTuningJob) -> dict[str, Any]:
    metrics = services.metrics_of(job)
    chart_form = ChartForm(request.GET)
    return {
        "job": job,
        "fingerprint": _fingerprint(job),
        "progress": progress_of(job, metrics[-1] if metrics else None),
        "duration": duration_of(job),
        "error": advice.error_sentence(job),
        "named_rows": rows_named(job),
        "advice": advice.what_to_do(job),
        "figures": curves.figures(metrics, chart_form.view()),
        "chart_form": chart_form,
        **_points_context(metrics, is_shown="points" in request.GET),
        "timeline": timeline(job, every="events" in request.GET),
        "checkpoints": list(job.checkpoints.all()),
        "hyperparameters": _hyperparameters(job),
        "tuned_models": tuned_models(job),
        "chosen_model": request.GET.get("tuned", ""),
        "candidates": candidates_of(job),
        **_provider_context(job),
        "shutdown": shutdown_of_job(job),
        "can_cancel": services.can_cancel(job),
        "can_pause": services.can_pause(job),
        "can_resume": services.can_resume(job),
        "can_retry": job.status in services.MAY_RETRY,
        "schedule_form": ScheduleForm(initial={"scheduled_for": job.scheduled_for}),
        "slowness": services.slowness(job.status, job.status_changed_at),
        "may_launch": has_role(request.user, job, Role.LAUNCHER),
        "may_price": has_role(request.user, job, Role.OWNER),
        **approval_context(request, job),
    }


def _provider_context(job: FineTuningJob) -> dict[str, Any]:
    """How its kind of provider is asked by a trained model's users."""
    profile = profile_of(job.provider)
    has_version = bool(profile.api_version)
    return {
        "can_chat": is_able(job.provider, Ability.CHAT),
        "deploy_step": profile.deploy_step,
        "api_version": has_version
        and (job.provider.api_version or profile.api_version),
        "key_variable": "AZURE_OPENAI_API_KEY" if has_version else "OPENAI_API_KEY",
    }


def _points_context(metrics: list[dict[str, Any]], *, is_shown: bool) -> dict[str, Any]:
    headings, rows = curves.table(metrics) if is_shown else ([], [])
    return {"shows_points": is_shown, "headings": headings, "rows": rows}


def _fingerprint(job: FineTuningJob) -> str:
    """Changes whenever something on the page would."""
    newest = job.events.order_by("-pk").values_list("pk", flat=True).first()
    polled = job.last_polled_at.timestamp() if job.last_polled_at else 0
    return f"{job.status}.{newest}.{polled:.0f}.{job.n_poll_failures}"


def _hyperparameters(job: FineTuningJob) -> list[dict[str, Any]]:
    """What was asked for and, once the provider told, what it chose."""
    names = {
        "n_epochs": _("Epochs"),
        "batch_size": _("Batch size"),
        "learning_rate_multiplier": _("Learning-rate multiplier"),
    }
    return [
        {
            "name": name,
            "asked": job.hyperparameters.get(key, "auto"),
            "resolved": job.resolved_hyperparameters.get(key),
        }
        for key, name in names.items()
    ]


def _held_out_context(request: HttpRequest, job: FineTuningJob) -> dict[str, Any]:
    summary = held_out_summary(job)
    n_questions = min(job.dataset_version.n_validation_rows, MAX_QUESTIONS)
    return {
        "held_out": summary,
        "n_questions": n_questions,
        "costs_money": profile_of(job.provider).costs_money,
        "is_comparing": job.next_comparison_at is not None,
        "may_compare": job.status == JobStatus.SUCCEEDED
        and is_able(job.provider, Ability.CHAT)
        and summary.n_answered < n_questions
        and has_role(request.user, job, Role.LAUNCHER),
    }
