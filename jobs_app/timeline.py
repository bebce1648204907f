"""A job's story, newest first, without the hundreds of lines of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from jobs_app.models import EventType, FineTuningJob, JobEvent, JobStatus

N_SHOWN = 30
# The provider's own line for each step says nothing that the curves do not.
NUMBERS = Q(type=EventType.METRICS)
STATUS_LABELS = dict(JobStatus.choices)


@dataclass(frozen=True)
class Line:
    """One event; `label` is the status it led to, or empty."""

    event: JobEvent
    label: str


@dataclass(frozen=True)
class Timeline:
    lines: Sequence[Line]
    n_hidden: int
    n_metrics: int


def timeline(job: FineTuningJob, *, every: bool = False) -> Timeline:
    """The newest events, or with `every` all of them; metrics are only counted."""
    told = job.events.exclude(NUMBERS).order_by("-created_at", "-pk")
    told = told.select_related("created_by")
    lines = [_line(event) for event in (told if every else told[: N_SHOWN + 1])]
    n_metrics = job.events.filter(NUMBERS).count()
    if every or len(lines) <= N_SHOWN:
        return Timeline(lines, 0, n_metrics)
    return Timeline(lines[:N_SHOWN], told.count() - N_SHOWN, n_metrics)


def _line(event: JobEvent) -> Line:
    is_ours = event.type == EventType.STATUS and isinstance(event.data, dict)
    status = str(event.data.get("to")) if is_ours else ""
    return Line(event, str(STATUS_LABELS.get(status, "")))
