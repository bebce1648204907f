"""The numbers a training reported, step by step."""

from typing import Any

from jobs_app.models import EventType, FineTuningJob


def metrics_of(job: FineTuningJob) -> list[dict[str, Any]]:
    """One dict a step, in order: step, train_loss, valid_loss and whatever was sent.

    A step reported twice (its loss, then its validation loss) is one point.
    """
    reports = job.events.filter(type=EventType.METRICS)
    points: dict[int, dict[str, Any]] = {}
    for data in reports.values_list("data", flat=True):
        step = data.get("step") if isinstance(data, dict) else None
        if isinstance(step, int) and not isinstance(step, bool):
            sent = {k: v for k, v in data.items() if v is not None}
            points.setdefault(step, {}).update(sent)
    return [points[step] for step in sorted(points)]
