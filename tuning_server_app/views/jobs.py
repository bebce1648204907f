"""/v1/fine_tuning/jobs: start trainings, follow them, end them."""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import tasks, wire
from tuning_server_app.errors import invalid, not_found
from tuning_server_app.job_request import parse_job_request
from tuning_server_app.metadata import filter_by_metadata
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.paging import cut_page, read_limit
from tuning_server_app.services import jobs, pausing
from tuning_server_app.views.endpoint import Endpoint, is_retry, read_json

MAX_IDEMPOTENCY_KEY = 255


class JobEndpoint(Endpoint):
    def find(self, job_id: str) -> TuningJob:
        """The organization's job.

        Raises:
            ApiError: it has none with this id.
        """
        job = jobs.jobs_of(self.api_key).filter(wire_id=job_id).first()
        if job is None:
            raise not_found("fine-tuning job", job_id)
        return job


class Jobs(JobEndpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        found, has_more = cut_page(
            filter_by_metadata(jobs.jobs_of(self.api_key), request.GET),
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=20),
            newest_first=True,
        )
        return wire.page([wire.job(job) for job in found], has_more=has_more)

    def post(self, request: HttpRequest) -> dict[str, Any]:
        key = request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > MAX_IDEMPOTENCY_KEY:
            raise invalid(
                f"An Idempotency-Key has at most {MAX_IDEMPOTENCY_KEY} characters."
            )
        job = jobs.create_job(
            api_key=self.api_key,
            request=parse_job_request(read_json(request)),
            idempotency_key=key,
            is_retry=is_retry(request),
        )
        tasks.validate.delay_on_commit(job.pk)
        return wire.job(job)


class OneJob(JobEndpoint):
    def get(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        return wire.job(self.find(job_id))


class CancelJob(JobEndpoint):
    def post(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        jobs.cancel_job(job)
        tasks.ring_webhooks(job)
        return wire.job(job)


class PauseJob(JobEndpoint):
    def post(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        pausing.pause_job(job)
        return wire.job(job)


class ResumeJob(JobEndpoint):
    def post(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        pausing.resume_job(job)
        if job.status == JobStatus.QUEUED:
            tasks.train.delay_on_commit()
        return wire.job(job)


class JobEvents(JobEndpoint):
    def get(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        found, has_more = cut_page(
            self.find(job_id).events.all(),
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=20),
            newest_first=True,
        )
        return wire.page([wire.event(event) for event in found], has_more=has_more)


class JobCheckpoints(JobEndpoint):
    def get(self, request: HttpRequest, job_id: str) -> dict[str, Any]:
        checkpoints = self.find(job_id).checkpoints.select_related("job", "tuned_model")
        found, has_more = cut_page(
            checkpoints,
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=10),
            newest_first=True,
        )
        return wire.page([wire.checkpoint(row) for row in found], has_more=has_more)
