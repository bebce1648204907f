"""Launch, launch again, cancel, compare: what people do to jobs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from datasets_app.models import DatasetVersion
from jobs_app import services, tasks
from jobs_app.forms import LaunchForm, prefill
from jobs_app.hyperparameters import MIN_TRAINING_ROWS
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus, Provider
from jobs_app.provider_fields import fields_of
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.views.access import job_or_404, signed_in, user_of
from teams_app.access import has_role_anywhere, require_role
from teams_app.models import Role, User
from teams_app.rows import read_key


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def job_new(request: HttpRequest) -> HttpResponse:
    _require_launcher(request.user)
    if request.method == "POST":
        form = LaunchForm(request.POST, user=request.user)
        if form.is_valid() and (job := _launched(form, user_of(request))):
            return redirect("jobs:detail", job.pk)
    else:
        form = LaunchForm(initial=_initial(request), user=request.user)
    return render(request, "jobs_app/job_new.html", _context(form))


def _require_launcher(user: Any) -> None:
    if not has_role_anywhere(user, Role.LAUNCHER):
        raise PermissionDenied(
            _(
                "Launching needs the role “%(role)s” in a team. "
                "An owner of the team can give it to you."
            )
            % {"role": Role.LAUNCHER.label}
        )


def _launched(form: LaunchForm, user: User) -> FineTuningJob | None:
    """The job of this form, made and handed to the workers; the same one each time
    that the form arrives. None, and the reason on the form, if it was refused."""
    try:
        job = services.create_job(**form.arguments(), by=user)
        if job.status == JobStatus.DRAFT:
            services.launch_job(job, by=user)
    except ValidationError as exc:
        form.add_error(None, exc.messages)
        return None
    except IllegalTransition:
        pass  # the other half of a double click launched it meanwhile
    tasks.submit_job.delay_on_commit(job.pk)
    return job


def _initial(request: HttpRequest) -> dict[str, Any]:
    """From an earlier job (`?from=`), a version (`?version=`) or the newest one."""
    given = request.GET
    if earlier := read_key(given.get("from", "")):
        job = job_or_404(request.user, earlier)
        require_role(request.user, job, Role.LAUNCHER)
        return prefill(job)
    versions = DatasetVersion.objects.visible_to(request.user, Role.LAUNCHER)
    if chosen := read_key(given.get("version", "")):
        version = versions.filter(pk=chosen).select_related("dataset").first()
    else:
        version = versions.select_related("dataset").first()
    provider = _default_provider(request.user, version)
    return {
        "version": version,
        "provider": provider,
        "base_model": provider.default_base_model if provider else "",
    }


def _default_provider(user: Any, version: DatasetVersion | None) -> Provider | None:
    providers = Provider.objects.visible_to(user, Role.LAUNCHER)
    if version:
        providers = providers.filter(team=version.dataset.team_id)
    return providers.order_by("pk").first()


def _context(form: LaunchForm) -> dict[str, Any]:
    versions = list(form.fields["version"].queryset)  # type: ignore[attr-defined]
    chosen = str(form["version"].value())
    version = next((each for each in versions if str(each.pk) == chosen), None)
    return {
        **_fields_context(form),
        "form": form,
        "version": version,
        "has_versions": bool(versions),
        "has_providers": form.fields["provider"].queryset.exists(),  # type: ignore[attr-defined]
        "fewest_rows": MIN_TRAINING_ROWS,
        "is_too_small": bool(version and version.n_training_rows < MIN_TRAINING_ROWS),
    }


def _fields_context(form: LaunchForm) -> dict[str, Any]:
    """The fields that the chosen provider can do something with."""
    providers = form.fields["provider"].queryset  # type: ignore[attr-defined]
    pk = read_key(str(form["provider"].value()))
    provider = providers.filter(pk=pk).first() or providers.first()
    if provider is None:
        return {}
    fields = fields_of(provider)
    ranges = fields.ranges.items()
    return {
        "knobs": [{"field": form[name], "range": span} for name, span in ranges],
        "asked": [form[name] for name in fields.asked],
        "leaves_out_validation": fields.leaves_out_validation,
        "deploy_step": fields.deploy_step,
    }


@require_safe
@signed_in
def new_fields(request: HttpRequest) -> HttpResponse:
    """The form's fields for another provider; what was typed stays."""
    form = LaunchForm(initial=request.GET.dict(), user=request.user)
    return render(request, "jobs_app/_launch_fields.html", _fields_context(form))


@require_safe
@signed_in
def base_model_options(request: HttpRequest) -> HttpResponse:
    """What the chosen provider can tune, as suggestions; a message if it is silent."""
    providers = Provider.objects.visible_to(request.user, Role.LAUNCHER)
    pk = read_key(request.GET.get("provider", ""))
    provider = providers.filter(pk=pk).first()
    names, problem = _base_models(provider)
    return render(
        request,
        "jobs_app/_base_models.html",
        {"names": names, "problem": problem, "provider": provider},
    )


def _base_models(provider: Provider | None) -> tuple[list[str], str]:
    if provider is None:
        return [], ""
    try:
        return services.base_models(provider), ""
    except (ProviderUnavailable, ProviderRejected) as exc:
        return [], str(exc)


@require_POST
@signed_in
def launch(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a draft to the workers."""
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    try:
        services.launch_job(job, by=user_of(request))
    except IllegalTransition as exc:
        messages.info(request, str(exc))
    except ValidationError as exc:
        messages.error(request, " ".join(exc.messages))
    else:
        tasks.submit_job.delay_on_commit(job.pk)
    return redirect("jobs:detail", pk)


@require_POST
@signed_in
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    try:
        services.cancel_job(job, by=user_of(request))
    except IllegalTransition as exc:
        messages.info(request, str(exc))
    except (ProviderUnavailable, ProviderRejected) as exc:
        messages.warning(
            request,
            _("%(reason)s Your wish is noted; every poll repeats it.")
            % {"reason": exc},
        )
    return redirect("jobs:detail", pk)


class DeploymentForm(forms.Form):
    deployment = forms.CharField(required=False, max_length=200, strip=True)


@require_POST
@signed_in
def deployment(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the name under which somebody deployed the tuned model."""
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    form = DeploymentForm(request.POST)
    if form.is_valid():
        name = form.cleaned_data["deployment"]
        services.name_deployment(job, name, by=user_of(request))
    else:
        messages.error(request, form.errors["deployment"].as_text())
    return redirect(reverse("jobs:detail", args=[pk]) + "#deploy")


@require_POST
@signed_in
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask both models the held-out questions; a provider may charge for it."""
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    services.request_comparison(job, by=user_of(request))
    tasks.compare_held_out.delay_on_commit(job.pk)
    return redirect(reverse("jobs:detail", args=[pk]) + "#held-out")
