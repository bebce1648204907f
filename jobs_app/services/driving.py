"""What the tick finds to do. The table is the queue: a lost message costs one tick.

A due time is moved on before its task is rung, by an UPDATE that names the old one;
of two ticks that overlap only one matches, and so no work is rung twice.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.timezone import now

from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.services.comparing import COMPARISON_CLAIM_SECONDS
from jobs_app.services.histories import due_readings
from jobs_app.services.pace import Work, free_providers
from jobs_app.services.polling import due_jobs

SUBMISSION_CLAIM_SECONDS = 60


def claim_due_submissions() -> list[int]:
    """Ids of launched jobs that a worker should submit now."""
    pending = FineTuningJob.objects.filter(status=JobStatus.PENDING)
    return _claim(pending, "next_poll_at", SUBMISSION_CLAIM_SECONDS)


def providers_to_poll() -> list[int]:
    """Ids of providers that have jobs to ask about, and nobody asking."""
    return _keys(free_providers(Work.POLL).filter(pk__in=due_jobs().values("provider")))


def providers_to_read() -> list[int]:
    """Ids of providers whose jobs have moved, so that there is something to read."""
    due = due_readings().values("provider")
    return _keys(free_providers(Work.READ).filter(pk__in=due))


def _keys(providers: QuerySet[Provider]) -> list[int]:
    return list(providers.order_by("pk").values_list("pk", flat=True))


def claim_due_comparisons() -> list[int]:
    """Ids of finished jobs whose models should answer a held-out question now."""
    succeeded = FineTuningJob.objects.filter(status=JobStatus.SUCCEEDED)
    return _claim(succeeded, "next_comparison_at", COMPARISON_CLAIM_SECONDS)


def _claim(jobs: QuerySet[FineTuningJob], field: str, seconds: float) -> list[int]:
    due = jobs.filter(**{f"{field}__lte": now()}).order_by(field, "pk")
    until = now() + timedelta(seconds=seconds)
    return [
        pk
        for pk, due_at in list(due.values_list("pk", field))
        if _claim_one(pk, field, due_at, until)
    ]


def _claim_one(pk: int, field: str, due_at: datetime, until: datetime) -> bool:
    still_due = FineTuningJob.objects.filter(pk=pk, **{field: due_at})
    return bool(still_due.update(**{field: until}))
