"""How far a job has come, in the figures a page shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils.timezone import now

from jobs_app.models import EventType, FineTuningJob, JobEvent


@dataclass(frozen=True)
class Line:
    """A job as a list shows it."""

    job: FineTuningJob
    progress: "Progress | None"
    duration: timedelta | None


@dataclass(frozen=True)
class Progress:
    """The newest reported step of a job; `finish_at` only while it is open."""

    step: int
    total_steps: int
    train_loss: float | None
    finish_at: datetime | None

    @property
    def percent(self) -> int:
        return min(100, 100 * self.step // self.total_steps) if self.total_steps else 0

    @property
    def remaining(self) -> timedelta | None:
        """Time to the estimated finish; None once that has passed."""
        if self.finish_at is None:
            return None
        left = self.finish_at - now()
        return left if left > timedelta(0) else None


def progress_of(job: FineTuningJob, metrics: Any) -> Progress | None:
    """None before the first step was reported."""
    data = metrics if isinstance(metrics, dict) else {}
    step, total, loss = (
        data.get(name) for name in ("step", "total_steps", "train_loss")
    )
    if not isinstance(step, int) or step < 1:
        return None
    return Progress(
        step=step,
        total_steps=total if isinstance(total, int) else 0,
        train_loss=loss if isinstance(loss, (int, float)) else None,
        finish_at=job.estimated_finish_at if job.is_open else None,
    )


def latest_metrics(jobs: Sequence[FineTuningJob]) -> dict[int, Any]:
    """Job id → what it last reported, for those of the jobs that are open."""
    open_ids = [job.pk for job in jobs if job.is_open]
    reports = JobEvent.objects.filter(job__in=open_ids, type=EventType.METRICS)
    newest = reports.order_by().values("job").annotate(newest=Max("pk"))
    told = JobEvent.objects.filter(pk__in=newest.values("newest"))
    return dict(told.values_list("job_id", "data"))


def duration_of(job: FineTuningJob) -> timedelta | None:
    """From launch to the end, or until now; None if its time never came."""
    if job.launched_at is None:
        return None
    end = job.finished_at or (now() if job.is_open else None)
    began = max(job.launched_at, job.scheduled_for or job.launched_at)
    return end - began if end and end >= began else None


def lines(jobs: Iterable[FineTuningJob]) -> list[Line]:
    """The jobs with their figures, in one more query however many they are."""
    rows = list(jobs)
    told = latest_metrics(rows)
    return [
        Line(job, progress_of(job, told.get(job.pk)), duration_of(job)) for job in rows
    ]
