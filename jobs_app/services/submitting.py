"""Send a launched job to its provider, once, whatever dies on the way."""

import logging
import time
from datetime import timedelta
from pathlib import Path

from django.db import IntegrityError
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import Split
from jobs_app import providers
from jobs_app.models import FineTuningJob, JobStatus, RemoteFile
from jobs_app.providers import (
    ProviderClient,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    RemoteJob,
)
from jobs_app.services import approvals
from jobs_app.services.backoff import try_again_at
from jobs_app.services.remote_state import store_remote_state

log = logging.getLogger(__name__)

# A claim counts as abandoned a while after a submission must be over. It must outlive
# the call it guards, or two workers would create the job.
CLAIM_MARGIN_SECONDS = 60
# A file that takes longer is looked at again later; others need the worker.
PROCESSING_WAIT_SECONDS = 20.0
PROCESSING_CHECK_SECONDS = 1.0


class ClaimLost(Exception):
    """This worker slept past its claim, or the job was cancelled before creation."""


def submit_seconds(job: FineTuningJob) -> float:
    return providers.profile_of(job.provider).submit_seconds


def claim_seconds(job: FineTuningJob) -> float:
    return submit_seconds(job) + CLAIM_MARGIN_SECONDS


def submit_job(job: FineTuningJob) -> None:
    """Create the job at its provider; harmless to call twice, even at once.

    One caller wins the claim. The provider is first asked for a job that already
    carries our launch_key, so a lost answer never buys a second training run.
    """
    if job.status != JobStatus.PENDING or not job.move_to(JobStatus.SUBMITTING):
        return
    if not approvals.still_holds(job):
        approvals.ask_again(job)
        return
    try:
        with providers.connect(job.provider, max_seconds=submit_seconds(job)) as client:
            remote = client.find_job(job.launch_key) or _create(client, job)
    except ProviderUnavailable as exc:
        _retry_later(job, exc)
    except (ProviderRejected, FileNotFoundError) as exc:
        _fail(job, exc)
    except ClaimLost:
        log.info("job %d: the submission was given up", job.pk)
    else:
        log.info("job %d is %s at %s", job.pk, remote.id, job.provider)
        store_remote_state(job, remote)


def _create(client: ProviderClient, job: FineTuningJob) -> RemoteJob:
    version = job.dataset_version
    files = {Split.TRAIN: _uploaded(client, job, Split.TRAIN)}
    if version.validation_file:
        files[Split.VALIDATION] = _uploaded(client, job, Split.VALIDATION)
    for split, file_id in files.items():
        _wait_until_processed(client, file_id, split)
    _check_claim(job)
    return client.create_job(
        base_model=job.base_model,
        training_file=files[Split.TRAIN],
        validation_file=files.get(Split.VALIDATION, ""),
        hyperparameters=job.hyperparameters,
        suffix=job.suffix,
        seed=job.seed,
        launch_key=job.launch_key,
    )


def _uploaded(client: ProviderClient, job: FineTuningJob, split: Split) -> str:
    """The id of the version's file at the provider, which gets each file once."""
    version = job.dataset_version
    key = {"provider": job.provider, "dataset_version": version, "split": split}
    known = RemoteFile.objects.filter(**key).first()
    if known:
        status = client.file_status(known.remote_id)
        if status is not None and status[0] not in {"error", "deleted"}:
            return known.remote_id
        known.delete()
    path = Path(version.file_of(split).path)
    _check_file(path)
    remote_id = client.upload(path, f"dataset-v{version.number}-{split}.jsonl")
    try:
        RemoteFile.objects.create(**key, remote_id=remote_id)
    except IntegrityError:  # another job of this version uploaded it meanwhile
        log.info("job %d: %s was uploaded twice", job.pk, path.name)
    return remote_id


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            _(
                "The frozen file %(name)s is missing from the folder var/files. "
                "Restore it from a backup, or freeze the dataset again and launch that."
            )
            % {"name": path.name}
        )


def _wait_until_processed(client: ProviderClient, file_id: str, split: Split) -> None:
    """Some providers refuse a job whose file they have not read yet."""
    give_up_at = time.monotonic() + PROCESSING_WAIT_SECONDS
    while True:
        status, details = client.file_status(file_id) or ("deleted", "")
        if status == "processed":
            return
        if status in {"error", "deleted"}:
            raise ProviderRejected(
                _(
                    "%(provider)s cannot use the %(split)s file: %(why)s. Correct the "
                    "rows it names, freeze the dataset again and launch that version."
                )
                % {
                    "provider": client.provider,
                    "split": split.label,
                    "why": details or status,
                }
            )
        if time.monotonic() >= give_up_at:
            raise ProviderUnavailable(
                _("%(provider)s is still processing the %(split)s file.")
                % {"provider": client.provider, "split": split.label}
            )
        time.sleep(PROCESSING_CHECK_SECONDS)


def _check_claim(job: FineTuningJob) -> None:
    """Stop unless the claim still stands and nobody has cancelled.

    A worker that slept (a suspended laptop) may have been replaced by another.
    """
    claimed = FineTuningJob.objects.filter(
        pk=job.pk,
        status=JobStatus.SUBMITTING,
        status_changed_at=job.status_changed_at,
    ).first()
    too_old = now() - timedelta(seconds=submit_seconds(job))
    if claimed is None or claimed.status_changed_at < too_old:
        raise ClaimLost
    if claimed.cancel_requested_at:
        claimed.move_to(
            JobStatus.CANCELLED,
            note="(before it was created)",
            by=claimed.cancel_requested_by,
            finished_at=now(),
            next_poll_at=None,
        )
        raise ClaimLost


def _retry_later(job: FineTuningJob, exc: ProviderError) -> None:
    log.warning("job %d could not be submitted: %s", job.pk, exc)
    job.move_to(
        JobStatus.PENDING,
        note=f"(will retry: {exc})",
        request_id=exc.request_id,
        n_poll_failures=job.n_poll_failures + 1,
        poll_problem=str(exc),
        next_poll_at=try_again_at(job.n_poll_failures, exc),
    )


def _fail(job: FineTuningJob, exc: Exception) -> None:
    log.warning("job %d was not accepted: %s", job.pk, exc)
    job.move_to(
        JobStatus.FAILED,
        note=f"({exc})",
        request_id=exc.request_id if isinstance(exc, ProviderError) else "",
        error=_error_fields(exc),
        finished_at=now(),
        next_poll_at=None,
    )


def _error_fields(exc: Exception) -> dict[str, str]:
    """What the job keeps; its page adds the advice that belongs to the code."""
    if not isinstance(exc, ProviderError):
        return {"code": "file_missing", "message": str(exc)}
    return {"code": exc.code or exc.reason, "message": exc.happened}
