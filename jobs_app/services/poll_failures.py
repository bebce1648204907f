"""What is noted when a provider does not tell how its jobs are doing."""

import logging

from django.db.models import F, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app.log_fields import about_job, about_provider
from jobs_app.models import FineTuningJob, JobEvent, JobStatus, Provider
from jobs_app.providers import ProviderError
from jobs_app.services import pace
from jobs_app.services.backoff import try_again_at

log = logging.getLogger(__name__)

# A provider that forgot the job three times running has really forgotten it.
N_NOT_FOUND_UNTIL_FAILED = 3


def note_failures(
    provider: Provider, due: QuerySet[FineTuningJob], exc: ProviderError
) -> None:
    """The provider as a whole does not answer: leave it alone for a while."""
    log.warning("could not be polled", extra=about_provider(provider, exc))
    until = pace.block(provider, exc)
    problem = str(exc)
    news = due.exclude(poll_problem=problem).values_list("pk", flat=True)
    events = [_event(pk, exc) for pk in news]
    JobEvent.objects.bulk_create(events, batch_size=500)
    due.update(
        n_poll_failures=F("n_poll_failures") + 1,
        poll_problem=problem,
        next_poll_at=until,
    )


def note_failure(job: FineTuningJob, exc: ProviderError) -> None:
    """It answers, but not about this job."""
    log.warning("could not be polled", extra=about_job(job, exc))
    n_failures = job.n_poll_failures + 1
    if exc.status == 404 and n_failures >= N_NOT_FOUND_UNTIL_FAILED:
        _give_up(job, exc)
        return
    if job.poll_problem != str(exc):
        _event(job.pk, exc).save(force_insert=True)
    unmoved = FineTuningJob.objects.filter(pk=job.pk, status=job.status)
    unmoved.update(
        n_poll_failures=n_failures,
        poll_problem=str(exc),
        next_poll_at=try_again_at(job.n_poll_failures, exc),
    )


def _event(job_id: int, exc: ProviderError) -> JobEvent:
    return JobEvent(
        job_id=job_id,
        level="warn",
        message=f"poll failed: {exc}",
        request_id=exc.request_id,
    )


def _give_up(job: FineTuningJob, exc: ProviderError) -> None:
    reason = _(
        "%(provider)s no longer knows this job. It was deleted there, or the provider "
        "entry now leads elsewhere. Launch it again if you still need it."
    ) % {"provider": job.provider}
    job.move_to(
        JobStatus.FAILED,
        note=f"({reason})",
        request_id=exc.request_id,
        error={"code": "job_not_found", "message": reason},
        finished_at=now(),
        next_poll_at=None,
        next_reading_at=None,
    )
