"""The REST API's part about launched jobs: pause, resume, again, at another time."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Field

from jobs_app import services, tasks
from jobs_app.api_launch import provider_for
from jobs_app.api_schemas import ErrorOut, JobOut, Text
from jobs_app.history import visible_jobs
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.access import require_role
from teams_app.models import Role

acts = Router(tags=["jobs"])
ERRORS = frozenset({401, 403, 404, 409, 422, 502, 503})


class ScheduleIn(Schema):
    scheduled_for: AwareDatetime | None = Field(description="Null: launch it now.")


class CloneIn(Schema):
    """What is to be different; everything else is the other job's."""

    model_config = ConfigDict(extra="forbid")

    provider: Text | int | None = Field(
        None, description="Another one, by name or id: where this one trains no more."
    )
    base_model: Text | None = None
    hyperparameters: dict[str, Any] | None = None
    suffix: Text | None = None
    seed: int | None = None
    scheduled_for: AwareDatetime | None = None
    launch_key: UUID | None = Field(
        None, description="Send the same one again and you get the same job."
    )


def _job(request: HttpRequest, job_id: int) -> FineTuningJob:
    user = request.auth  # type: ignore[attr-defined]
    job = visible_jobs(user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    require_role(user, job, Role.LAUNCHER)
    return job


def _out(request: HttpRequest, job: FineTuningJob) -> JobOut:
    page = reverse("jobs:detail", args=[job.pk])
    return JobOut.of(job, request.build_absolute_uri(page))


@acts.post(
    "/jobs/{int:job_id}/pause",
    summary="Pause a job",
    response={200: JobOut, ERRORS: ErrorOut},
)
def pause(request: HttpRequest, job_id: int) -> Any:
    """Where the provider can. It may need a while until it stands still."""
    job = _job(request, job_id)
    services.pause_job(job, by=request.auth)  # type: ignore[attr-defined]
    return _out(request, job)


@acts.post(
    "/jobs/{int:job_id}/resume",
    summary="Resume a paused job",
    response={200: JobOut, ERRORS: ErrorOut},
)
def resume(request: HttpRequest, job_id: int) -> Any:
    job = _job(request, job_id)
    services.resume_job(job, by=request.auth)  # type: ignore[attr-defined]
    return _out(request, job)


@acts.post(
    "/jobs/{int:job_id}/retry",
    summary="Launch a failed job again",
    response={201: JobOut, ERRORS: ErrorOut},
)
def retry(request: HttpRequest, job_id: int) -> Any:
    """The same again as a new job; asked twice, the same new job."""
    again = services.retry_job(_job(request, job_id), by=request.auth)  # type: ignore[attr-defined]
    tasks.submit_job.delay_on_commit(again.pk)
    return Status(201, _out(request, again))


@acts.post(
    "/jobs/{int:job_id}/clone",
    summary="Launch a changed copy",
    response={201: JobOut, ERRORS: ErrorOut},
)
def clone(request: HttpRequest, job_id: int, data: CloneIn) -> Any:
    job, by = _job(request, job_id), request.auth  # type: ignore[attr-defined]
    changes = {k: v for k, v in data.dict().items() if v is not None}
    if data.provider is not None:
        changes["provider"] = provider_for(by, data.provider, job.dataset_version)
    copy = services.clone_job(job, by=by, **changes)
    if copy.status == JobStatus.DRAFT:
        services.launch_job(copy, by=by)
    tasks.submit_job.delay_on_commit(copy.pk)
    return Status(201, _out(request, copy))


@acts.put(
    "/jobs/{int:job_id}/schedule",
    summary="Launch a waiting job at another time",
    response={200: JobOut, ERRORS: ErrorOut},
)
def schedule(request: HttpRequest, job_id: int, data: ScheduleIn) -> Any:
    job, by = _job(request, job_id), request.auth  # type: ignore[attr-defined]
    services.reschedule_job(job, data.scheduled_for, by=by)
    tasks.submit_job.delay_on_commit(job.pk)
    return _out(request, job)
