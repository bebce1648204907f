"""Pause, resume, retry, another time: what people do to jobs that were launched."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jobs_app import services, tasks
from jobs_app.forms import ScheduleForm
from jobs_app.models import FineTuningJob, IllegalTransition
from jobs_app.providers import ProviderError
from jobs_app.views.access import job_or_404, signed_in, user_of
from teams_app.access import require_role
from teams_app.models import Role

Act = Callable[[], object]


def _job(request: HttpRequest, pk: int) -> FineTuningJob:
    job = job_or_404(request.user, pk)
    require_role(request.user, job, Role.LAUNCHER)
    return job


def _done(request: HttpRequest, act: Act) -> bool:
    """Whether it was done; else the person is told why not."""
    try:
        act()
    except IllegalTransition as exc:
        messages.info(request, str(exc))
    except ProviderError as exc:
        messages.error(request, str(exc))
    except ValidationError as exc:
        messages.error(request, " ".join(exc.messages))
    else:
        return True
    return False


@require_POST
@signed_in
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    _done(request, lambda: services.pause_job(job, by=user_of(request)))
    return redirect("jobs:detail", pk)


@require_POST
@signed_in
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    _done(request, lambda: services.resume_job(job, by=user_of(request)))
    return redirect("jobs:detail", pk)


@require_POST
@signed_in
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Launch the same again, and go to the new job."""
    job, again = _job(request, pk), []
    act = lambda: again.append(services.retry_job(job, by=user_of(request)))  # noqa: E731
    if not _done(request, act):
        return redirect("jobs:detail", pk)
    tasks.submit_job.delay_on_commit(again[0].pk)
    return redirect("jobs:detail", again[0].pk)


@require_POST
@signed_in
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time for a launch that waits; an empty one launches it now."""
    job, form = _job(request, pk), ScheduleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This is no date and time."))
        return redirect("jobs:detail", pk)
    at = form.cleaned_data["scheduled_for"]
    if _done(request, lambda: services.reschedule_job(job, at, by=user_of(request))):
        tasks.submit_job.delay_on_commit(job.pk)
    return redirect("jobs:detail", pk)
