"""Jobs that nothing is heard of: each is told of once for every time it stalls."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, Subquery
from django.utils.timezone import now

from jobs_app.models import (
    COMMITTED,
    FineTuningJob,
    JobEvent,
    JobStatus,
    Notice,
    NoticeKind,
)

UNHEARD_AFTER = timedelta(hours=1)  # its provider did not answer one poll
NO_PROGRESS_AFTER = timedelta(hours=6)  # it answers, but nothing happens


def tell_of_stalled_jobs() -> None:
    Notice.objects.bulk_create(
        [_notice(job, since) for job, since in (*_unheard(), *_without_progress())],
        ignore_conflicts=True,  # it was told of already
    )


def _unheard() -> Iterable[tuple[FineTuningJob, datetime]]:
    limit = now() - UNHEARD_AFTER
    jobs = FineTuningJob.objects.filter(
        Q(last_polled_at=None) | Q(last_polled_at__lt=limit),
        status__in=COMMITTED,
        status_changed_at__lt=limit,
    ).exclude(scheduled_for__gt=limit)
    for job in jobs:
        since = job.status_changed_at
        yield job, max(since, job.last_polled_at or since)


def _without_progress() -> Iterable[tuple[FineTuningJob, datetime]]:
    """Running jobs that are polled well, without a word from the training."""
    limit = now() - NO_PROGRESS_AFTER
    newest = JobEvent.objects.filter(job=OuterRef("pk")).order_by("-pk")
    running = FineTuningJob.objects.filter(
        status=JobStatus.RUNNING,
        status_changed_at__lt=limit,
        last_polled_at__gte=now() - UNHEARD_AFTER,
    )
    heard = running.annotate(heard_at=Subquery(newest.values("created_at")[:1]))
    for job in heard.filter(Q(heard_at=None) | Q(heard_at__lt=limit)):
        yield job, max(job.status_changed_at, job.heard_at or job.status_changed_at)


def _notice(job: FineTuningJob, since: datetime) -> Notice:
    return Notice(
        team_id=job.team_id,
        kind=NoticeKind.STALLED,
        key=f"job {job.pk} stalled since {since.isoformat()}",
        job=job,
        data={"since": f"{since:%Y-%m-%d %H:%M}"},
    )
