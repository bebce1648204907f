"""Who submits a job: a claim that ends soon by itself, renewed while its worker lives.

A worker that is killed is replaced after a minute. One that slept (a stopped process, a
suspended laptop) sends nothing more once its claim is over: every write to the provider
asks first, and only the row knows whether somebody else has taken the job.
"""

import logging
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from jobs_app.log_fields import about_job
from jobs_app.models import FineTuningJob, JobStatus
from jobs_app.services.waiting import ClaimLost

log = logging.getLogger(__name__)

CLAIM_SECONDS = 60.0
RENEW_SECONDS = 10.0
# By its own reckoning a worker's claim ends sooner than by the row: the clocks of two
# machines differ, and what was allowed to be sent takes a moment to leave.
MARGIN_SECONDS = 10.0


def claim(job: FineTuningJob) -> bool:
    """Take a pending job. Of two callers one wins."""
    until = now() + timedelta(seconds=CLAIM_SECONDS)
    return job.move_to(JobStatus.SUBMITTING, claimed_until=until)


def claimed(job: FineTuningJob) -> QuerySet[FineTuningJob]:
    """The row, as long as the submission that claimed `job` holds it."""
    return FineTuningJob.objects.filter(
        pk=job.pk,
        status=JobStatus.SUBMITTING,
        status_changed_at=job.status_changed_at,
    )


def reclaim_stalled_jobs() -> int:
    """Free the jobs whose submitting worker must have died. Returns how many."""
    submitting = FineTuningJob.objects.filter(status=JobStatus.SUBMITTING)
    over = submitting.exclude(claimed_until__gte=now())
    return sum(_free(job) for job in over.select_related("provider"))


def _free(job: FineTuningJob) -> bool:
    with transaction.atomic():
        still_over = claimed(job).filter(claimed_until=job.claimed_until)
        if not still_over.update(claimed_until=None):  # renewed a moment ago
            return False
        log.warning("freed from a worker that stopped", extra=about_job(job))
        return job.move_to(
            JobStatus.PENDING,
            note="(the worker that was submitting it stopped; trying again)",
            next_poll_at=now(),
        )


class Claim:
    """What a worker holds while it submits `job`, for `max_seconds` at most."""

    def __init__(self, job: FineTuningJob, *, max_seconds: float) -> None:
        self._job = job
        self._row = claimed(job)
        self._ends_at = job.status_changed_at + timedelta(seconds=max_seconds)
        self._good_until = job.status_changed_at + _held_for()
        self._is_left = Event()
        self._renewer = Thread(target=self._keep_renewing, daemon=True)

    def __enter__(self) -> Self:
        self._renewer.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_left.set()
        self._renewer.join()

    def check(self) -> None:
        """Asked before anything is sent. Raises ClaimLost."""
        if now() >= self._good_until:
            self.renew()

    def renew(self) -> None:
        """Hold the job for some time from now. Raises ClaimLost."""
        began = now()
        until = began + timedelta(seconds=CLAIM_SECONDS)
        if began >= self._ends_at or not self._row.update(claimed_until=until):
            raise ClaimLost
        self._good_until = began + _held_for()

    def _keep_renewing(self) -> None:
        try:
            while not self._is_left.wait(RENEW_SECONDS):
                self._renew_if_possible()
        except ClaimLost:
            log.info("the claim is lost", extra=about_job(self._job))
        finally:
            connection.close()

    def _renew_if_possible(self) -> None:
        try:
            self.renew()
        except DatabaseError:  # busy; there is time for some more attempts
            log.warning("the claim was not renewed", extra=about_job(self._job))


def _held_for() -> timedelta:
    return timedelta(seconds=CLAIM_SECONDS - MARGIN_SECONDS)
