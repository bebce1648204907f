"""Fine-tuning jobs: made, checked, cancelled, and put in a fair order."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from tuning_server_app.errors import invalid, model_not_found
from tuning_server_app.job_request import MAX_SEED, JobRequest
from tuning_server_app.models import (
    FINISHED,
    ApiKey,
    EventLevel,
    FilePurpose,
    JobStatus,
    Organization,
    TuningJob,
)
from tuning_server_app.services.files import files_of
from tuning_server_app.services.tuned_models import (
    Weights,
    find_weights_of,
    models_of,
    names_for_all,
)

S = JobStatus
REPEATED_WITHIN = timedelta(minutes=10)
SERVER_ERROR = "server_error"  # of a job whose owner did nothing wrong


def create_job(
    *,
    api_key: ApiKey,
    request: JobRequest,
    idempotency_key: str | None = None,
    is_retry: bool = False,
) -> TuningJob:
    """The job that the client asked for.

    A request that was sent before gives the job of that time: one with the same
    idempotency key, or one that its client marks as a retry and whose twin came from
    the same API key minutes ago. A lost answer thus never starts a second training.

    Raises:
        ApiError: unknown model or file, or the idempotency key has another request.
    """
    request_hash = _hash(request)
    with transaction.atomic():
        _wait_for_turn(api_key.organization)
        earlier = _earlier_job(
            api_key, request_hash, idempotency_key, is_retry=is_retry
        )
        if earlier is not None:
            return earlier
        weights = _check_model(api_key, request.model)
        _check_file(api_key, request.training_file, "training_file")
        if request.validation_file:
            _check_file(api_key, request.validation_file, "validation_file")
        return _store(
            request,
            api_key=api_key,
            organization=api_key.organization,
            model=weights.name,
            base_model=weights.base_model,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
        )


def _store(request: JobRequest, **fields: Any) -> TuningJob:
    """The job with the first lines of its story."""
    job = TuningJob.objects.create(
        training_file=request.training_file,
        validation_file=request.validation_file,
        method=request.method,
        hyperparameters=request.hyperparameters,
        seed=_seed(request),
        suffix=request.suffix,
        metadata=request.metadata,
        **fields,
    )
    job.events.create(message=f"Created fine-tuning job: {job.wire_id}")
    if job.model != request.model:
        job.events.create(message=_alias_used(request.model, job.model))
    job.events.create(message=_validating(job))
    return job


def jobs_of(api_key: ApiKey) -> QuerySet[TuningJob]:
    return TuningJob.objects.filter(organization=api_key.organization).select_related(
        "organization"
    )


def cancel_job(job: TuningJob) -> None:
    """End the job; if it is running, its trainer notices within a second.

    Raises:
        ApiError: it has ended already.
    """
    while True:
        if job.status in FINISHED:
            raise invalid(
                f"Job {job.wire_id} has already ended: it is {job.status}."
                " Only a job that has not ended can be cancelled.",
                code="job_has_ended",
            )
        if job.move_to(S.CANCELLED, "The job was cancelled"):
            return
        job.refresh_from_db()  # it moved on meanwhile: look again


def fail_job(job: TuningJob, *, code: str, message: str, param: str | None) -> bool:
    """End the job with an error that its owner can read.

    The message may quote a file, whose NUL no database text can hold.
    """
    message = message.replace("\0", "\ufffd")
    return job.move_to(
        S.FAILED,
        f"The job failed: {message}",
        EventLevel.ERROR,
        error={"code": code, "message": message, "param": param},
    )


def _wait_for_turn(organization: Organization) -> None:
    """Until the transaction ends, no other request makes a job for the organization:
    of two copies of a request, the second to look finds what the first made.

    On SQLite the transaction itself holds the others up, from its beginning on.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _earlier_job(
    api_key: ApiKey, request_hash: str, idempotency_key: str | None, *, is_retry: bool
) -> TuningJob | None:
    jobs = jobs_of(api_key)
    if idempotency_key is not None:
        job = jobs.filter(idempotency_key=idempotency_key).first()
        if job is not None and job.request_hash != request_hash:
            raise invalid(
                f"The Idempotency-Key was used for another request, which made"
                f" {job.wire_id}. Choose a new one for each job.",
                code="idempotency_key_reused",
            )
        return job
    if not is_retry:
        return None
    return jobs.filter(
        api_key=api_key,
        request_hash=request_hash,
        created_at__gt=now() - REPEATED_WITHIN,
    ).first()


def _check_model(api_key: ApiKey, name: str) -> Weights:
    weights = find_weights_of(name, models_of(api_key.organization))
    if weights is None:
        raise model_not_found(name, names_for_all())
    return weights


def _check_file(api_key: ApiKey, file_id: str, param: str) -> None:
    file = files_of(api_key.organization).filter(wire_id=file_id).first()
    if file is None:
        raise invalid(
            f"{param}: there is no file {file_id}. Upload it first: POST /v1/files.",
            param=param,
            code=f"invalid_{param}",
        )
    if file.purpose != FilePurpose.FINE_TUNE:
        raise invalid(
            f"{param}: the purpose of {file_id} is '{file.purpose}', but must be"
            f" '{FilePurpose.FINE_TUNE}'.",
            param=param,
            code=f"invalid_{param}",
        )


def _validating(job: TuningJob) -> str:
    message = f"Validating training file: {job.training_file}"
    if job.validation_file:
        message += f" and validation file: {job.validation_file}"
    return message


def _alias_used(alias: str, model: str) -> str:
    return f"{alias} is a name for {model} on this server: that is what is trained"


def _seed(request: JobRequest) -> int:
    return secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed


def _hash(request: JobRequest) -> str:
    fields: dict[str, Any] = vars(request)
    packed = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()
