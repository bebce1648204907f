"""Send a launched job to its provider, once, whatever dies on the way."""

import logging
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import Split
from jobs_app import providers
from jobs_app.log_fields import about_job
from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import (
    Ability,
    ProviderClient,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    RemoteJob,
    is_able,
)
from jobs_app.services import approvals, pace
from jobs_app.services.backoff import try_again_at
from jobs_app.services.claiming import Claim, claim, claimed
from jobs_app.services.recognising import (
    FIRST_LOOK_SECONDS,
    find_ours,
    keeps_metadata,
    unclear_twin,
)
from jobs_app.services.remote_state import store_remote_state
from jobs_app.services.uploading import FileRefused, uploaded, wait_until_processed
from jobs_app.services.waiting import ApprovalGone, ClaimLost, NotYet, Unsure

log = logging.getLogger(__name__)

TWIN_SECONDS = 5.0
# Reserved for a submission: to look, two files, the creation. What a large file needs
# beyond that is counted as it was made.
REQUESTS = 8


def submit_job(job: FineTuningJob) -> None:
    """Create the job at its provider; harmless to call twice, even at once.

    One caller wins the claim. The provider is first asked for a job that already
    carries our launch_key, so a lost answer never buys a second training run.
    """
    if job.status != JobStatus.PENDING:
        return
    n_reserved = pace.reserve_all(job.provider, REQUESTS)
    if not n_reserved:
        _leave_alone(job)
    elif claim(job):
        _submit(job, n_reserved)
    else:
        pace.give_back(job.provider, n_reserved)


def _submit(job: FineTuningJob, n_reserved: int) -> None:
    if not job.create_sent_at and not approvals.still_holds(job):
        pace.give_back(job.provider, n_reserved)
        approvals.ask_again(job)
        return
    try:
        remote = _found_or_created(job, n_reserved)
    except NotYet as exc:
        _wait(job, exc)
    except Unsure as exc:
        _ask_a_person(job, exc)
    except ProviderUnavailable as exc:
        _retry_later(job, exc)
    except (ProviderRejected, FileRefused, FileNotFoundError) as exc:
        _fail(job, exc)
    except ApprovalGone:
        _take_back(job)
        approvals.ask_again(job)
    except ClaimLost:
        log.info("the submission was given up", extra=about_job(job))
    else:
        log.info("is %r there", remote.id, extra=about_job(job))
        pace.unblock(job.provider)
        _store(job, remote)


def _found_or_created(job: FineTuningJob, n_reserved: int) -> RemoteJob:
    seconds = providers.profile_of(job.provider).submit_seconds
    with (
        Claim(job, max_seconds=seconds) as held,
        providers.connect(
            job.provider, max_seconds=seconds, before_sending=held.check
        ) as client,
    ):
        client.n_reserved = n_reserved
        return find_ours(client, job) or _create(client, job, held)


def _store(job: FineTuningJob, remote: RemoteJob) -> None:
    try:
        store_remote_state(job, remote)
    except IntegrityError:
        _ask_a_person(job, Unsure(_belongs_to_another(job, remote), []))


def _create(client: ProviderClient, job: FineTuningJob, held: Claim) -> RemoteJob:
    _go_on(job, held)
    if not approvals.still_holds(job):
        raise ApprovalGone
    version = job.dataset_version
    files = {Split.TRAIN: uploaded(client, job, Split.TRAIN)}
    if version.validation_file and is_able(job.provider, Ability.VALIDATION_FILE):
        files[Split.VALIDATION] = uploaded(client, job, Split.VALIDATION)
    for split, file_id in files.items():
        wait_until_processed(client, file_id, split)
    _go_on(job, held)
    _announce(job, files[Split.TRAIN])
    try:
        return client.create_job(
            base_model=job.base_model,
            training_file=files[Split.TRAIN],
            validation_file=files.get(Split.VALIDATION, ""),
            method=version.dataset.method,
            hyperparameters=job.hyperparameters,
            suffix=job.suffix,
            seed=job.seed,
            launch_key=job.launch_key,
        )
    except ProviderError as exc:
        if exc.is_unclear:
            raise NotYet(
                _answer_lost(job, exc), FIRST_LOOK_SECONDS, exc.request_id
            ) from exc
        _take_back(job)
        raise


def _announce(job: FineTuningJob, training_file: str) -> None:
    """Note, before the request leaves, that the provider may have the job.

    Where no launch key is kept, one job of a version at a time: were two of them
    unclear, nothing would tell which is which.
    """
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=job.provider_id)
        if not keeps_metadata(provider) and (twin := unclear_twin(job)):
            raise NotYet(_waits_for(job, twin), TWIN_SECONDS)
        sent = {"create_sent_at": now(), "sent_training_file": training_file}
        if not claimed(job).filter(cancel_requested_at=None).update(**sent):
            raise ClaimLost


def _take_back(job: FineTuningJob) -> None:
    """The provider has clearly not created it."""
    claimed(job).update(create_sent_at=None)  # not what another worker sent since


def _go_on(job: FineTuningJob, held: Claim) -> None:
    """Raises ClaimLost: somebody else has the job, or has cancelled it."""
    held.renew()
    row = claimed(job).first()
    if row is None:
        raise ClaimLost
    if row.cancel_requested_at:
        row.move_to(
            JobStatus.CANCELLED,
            note="(before it was created)",
            by=row.cancel_requested_by,
            finished_at=now(),
            next_poll_at=None,
        )
        raise ClaimLost


def _leave_alone(job: FineTuningJob) -> None:
    """The provider was asked often enough for now; the launch follows by itself."""
    waiting = FineTuningJob.objects.filter(pk=job.pk, status=JobStatus.PENDING)
    waiting.update(
        poll_problem=_(
            "%(provider)s is asked no more often than it allows: this launch waits "
            "for its turn."
        )
        % {"provider": job.provider},
        next_poll_at=pace.free_at(job.provider),
    )


def _wait(job: FineTuningJob, exc: NotYet) -> None:
    """Nothing failed; the job is looked at again soon."""
    log.info("waits", extra=about_job(job, exc))
    job.move_to(
        JobStatus.PENDING,
        note=f"({exc})",
        request_id=exc.request_id,
        poll_problem=str(exc),
        next_poll_at=now() + timedelta(seconds=exc.seconds),
    )


def _ask_a_person(job: FineTuningJob, exc: Unsure) -> None:
    log.warning("needs a decision", extra=about_job(job, exc))
    job.move_to(
        JobStatus.UNSURE,
        note=f"({exc})",
        poll_problem=str(exc),
        candidates=exc.candidates,
        next_poll_at=None,
    )


def _retry_later(job: FineTuningJob, exc: ProviderError) -> None:
    log.warning("could not be submitted", extra=about_job(job, exc))
    if exc.reason == "too_many_requests":  # not this job alone: nobody may ask now
        pace.block(job.provider, exc)
    job.move_to(
        JobStatus.PENDING,
        note=f"(will retry: {exc})",
        request_id=exc.request_id,
        n_poll_failures=job.n_poll_failures + 1,
        poll_problem=str(exc),
        next_poll_at=try_again_at(job.n_poll_failures, exc),
    )


def _fail(job: FineTuningJob, exc: Exception) -> None:
    log.warning("was not accepted", extra=about_job(job, exc))
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
    if isinstance(exc, ProviderError):
        return {"code": exc.code or exc.reason, "message": exc.happened}
    if isinstance(exc, FileRefused):
        return {"code": exc.code, "message": str(exc), "param": exc.param}
    return {"code": "file_missing", "message": str(exc)}


def _answer_lost(job: FineTuningJob, exc: ProviderError) -> str:
    return _(
        "Whether %(provider)s created the job is not clear: %(why)s It is looked for "
        "there before anything is created again."
    ) % {"provider": job.provider, "why": exc}


def _belongs_to_another(job: FineTuningJob, remote: RemoteJob) -> str:
    return _(
        "%(provider)s answered with the id of another job of ours, %(id)s. Whether it "
        "has this one is not clear."
    ) % {"provider": job.provider, "id": remote.id}


def _waits_for(job: FineTuningJob, twin: FineTuningJob) -> str:
    return _(
        "Job %(twin)d trains on the same version, and whether %(provider)s has it is "
        "not clear yet. This one is created after that: no launch key is kept there, "
        "so nothing would tell the two apart."
    ) % {"twin": twin.pk, "provider": job.provider}
