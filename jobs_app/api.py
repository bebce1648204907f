"""The REST API: launch, list, follow and cancel jobs with a bearer token."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Header, NinjaAPI, Query, Schema, Status
from ninja.security import HttpBearer
from pydantic import Field

from jobs_app import services, tasks
from jobs_app.api_acts import acts
from jobs_app.api_approvals import ApprovalOut, router
from jobs_app.api_errors import Refusal, install
from jobs_app.api_launch import launch_arguments
from jobs_app.api_schemas import (
    CheckpointOut,
    DecisionIn,
    ErrorOut,
    EventOut,
    JobDetailOut,
    JobOut,
    JobPage,
    LaunchedOut,
    LaunchIn,
    Text,
    facts_of,
)
from jobs_app.decisions import carry_out
from jobs_app.history import ALL_OPEN, filtered, visible_jobs
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.services.model_ends import shutdown_of_job
from teams_app.access import require_role
from teams_app.models import Role, User
from teams_app.services import user_of_token

MAX_PAGE_SIZE = 100
# Any text may serve as Idempotency-Key; with it this makes a UUID of one's own.
KEY_NAMESPACE = UUID("6f0f54b0-5e43-4d0e-8f0a-7c1f3f8a4f1d")


class Token(HttpBearer):
    """A token of the user's own page; never the browser's session."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        return user_of_token(token)


api = NinjaAPI(
    title="finetune-site",
    version="1",
    description="Launch and follow fine-tuning jobs.",
    auth=Token(),
    urls_namespace="api",
)
install(api)
api.add_router("", router)
api.add_router("", acts)
ERRORS = frozenset({401, 403, 404, 409, 422})
JOBS = ["jobs"]


class JobWithApprovalOut(JobDetailOut):
    approval: ApprovalOut | None


class Filters(Schema):
    """Whitelisted: a parameter that is not named here is refused, not passed over."""

    status: Text = Field("", description="A status, or “open”: not over yet.")
    dataset: Text = Field("", description="A dataset's name.")
    provider: Text = Field("", description="A provider's name.")
    q: Text = Field("", description="Words in names, models and ids.")
    page: int = Field(1, ge=1)
    page_size: int = Field(20, ge=1, le=MAX_PAGE_SIZE)


@api.post(
    "/jobs",
    summary="Launch a job",
    response={201: LaunchedOut, 200: LaunchedOut, ERRORS: ErrorOut},
    tags=JOBS,
)
def launch(
    request: HttpRequest,
    data: LaunchIn,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Any:
    """Make a job and hand it to the workers. 200: this key already made one."""
    user = user_of(request)
    arguments = launch_arguments(user, data)
    key = data.launch_key or _key_of(user, idempotency_key)
    job = services.create_job(**arguments, by=user, launch_key=key)
    is_new = _launch(job, user)
    tasks.submit_job.delay_on_commit(job.pk)
    out = LaunchedOut.of(job, _page_url(request, job))
    return Status(201 if is_new else 200, out)


def _launch(job: FineTuningJob, user: User) -> bool:
    try:
        return services.launch_job(job, by=user)
    except IllegalTransition:  # the same request, sent again
        job.refresh_from_db()
        return False


def _key_of(user: User, text: str | None) -> UUID | None:
    return uuid5(KEY_NAMESPACE, f"{user.pk}:{text}") if text else None


@api.get(
    "/jobs",
    summary="List jobs",
    response={200: JobPage, ERRORS: ErrorOut},
    tags=JOBS,
)
def list_jobs(request: HttpRequest, filters: Query[Filters]) -> Any:
    """The jobs you can see, newest first."""
    _refuse_unknown(request, filters)
    jobs = filtered(
        visible_jobs(user_of(request)), status=filters.status, text=filters.q
    )
    if filters.dataset:
        jobs = jobs.filter(dataset_version__dataset__name=filters.dataset)
    if filters.provider:
        jobs = jobs.filter(provider__name=filters.provider)
    page = Paginator(jobs, filters.page_size).get_page(filters.page)
    return {
        "items": [_job_out(request, job) for job in page],
        "count": page.paginator.count,
        "page": page.number,
        "n_pages": page.paginator.num_pages,
    }


def _refuse_unknown(request: HttpRequest, filters: Filters) -> None:
    known = {
        "parameter": list(Filters.model_fields),
        "status": ["", ALL_OPEN, *JobStatus.values],
    }
    given = [("parameter", name) for name in request.GET] + [("status", filters.status)]
    for kind, word in given:
        if word not in known[kind]:
            raise Refusal(
                422,
                what=_("There is no such %(kind)s.") % {"kind": kind},
                why=_("“%(word)s” is not known here.") % {"word": word},
                what_to_do=_("Use one of: %(known)s.")
                % {"known": ", ".join(filter(None, known[kind]))},
            )


@api.get(
    "/jobs/{int:job_id}",
    summary="Follow a job",
    response={200: JobWithApprovalOut, ERRORS: ErrorOut},
    tags=JOBS,
)
def get_job(request: HttpRequest, job_id: int) -> Any:
    """One job: status, events, metrics by step, checkpoints, tuned model, error."""
    job = _visible_job(request, job_id)
    end = shutdown_of_job(job)
    return JobWithApprovalOut(
        **facts_of(job),
        url=_page_url(request, job),
        events=[EventOut.of(e) for e in job.events.select_related("created_by")],
        metrics=services.metrics_of(job),
        checkpoints=[CheckpointOut.of(each) for each in job.checkpoints.all()],
        approval=ApprovalOut.of(job),
        shutdown_date=end.on if end else None,
    )


@api.post(
    "/jobs/{int:job_id}/cancel",
    summary="Cancel a job",
    response={200: JobOut, ERRORS: ErrorOut},
    tags=JOBS,
)
def cancel(request: HttpRequest, job_id: int) -> Any:
    """Ask that a job stop. If the provider cannot be reached, every poll repeats it."""
    job = _visible_job(request, job_id)
    user = user_of(request)
    require_role(user, job, Role.LAUNCHER)
    try:
        services.cancel_job(job, by=user)
    except (ProviderUnavailable, ProviderRejected) as exc:
        raise Refusal(
            503 if isinstance(exc, ProviderUnavailable) else 502,
            what=_("The job is not cancelled yet."),
            why=str(exc),
            what_to_do=_("Nothing: your wish is noted, and every poll repeats it."),
        ) from exc
    return _job_out(request, job)


@api.post(
    "/jobs/{int:job_id}/decide",
    summary="Decide about a job that needs a decision",
    response={200: JobOut, ERRORS: ErrorOut},
    tags=JOBS,
)
def decide(request: HttpRequest, job_id: int, data: DecisionIn) -> Any:
    """For a job in status “unsure”: the provider may have it, and may not."""
    job = _visible_job(request, job_id)
    user = user_of(request)
    require_role(user, job, Role.LAUNCHER)
    carry_out(data.decision, job, remote_id=data.remote_id, by=user)
    return _job_out(request, job)


def user_of(request: HttpRequest) -> User:
    """Whose token came with the request."""
    return request.auth  # type: ignore[attr-defined]


def _visible_job(request: HttpRequest, job_id: int) -> FineTuningJob:
    job = visible_jobs(user_of(request)).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job


def _page_url(request: HttpRequest, job: FineTuningJob) -> str:
    return request.build_absolute_uri(reverse("jobs:detail", args=[job.pk]))


def _job_out(request: HttpRequest, job: FineTuningJob) -> JobOut:
    return JobOut.of(job, _page_url(request, job))
