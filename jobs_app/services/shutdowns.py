"""Models that their provider is about to shut down: told of a month and a week before,
to the teams that trained on them or train now."""

from datetime import date, timedelta

from django.db.models import Q
from django.utils.timezone import localdate

from jobs_app.models import (
    COMMITTED,
    FineTuningJob,
    JobStatus,
    ListedModel,
    Notice,
    NoticeKind,
)

DAYS_BEFORE = (7, 30)


def tell_of_shutdowns() -> None:
    """Once for each model, day and distance: the keys see to it."""
    today = localdate()
    until = today + timedelta(days=max(DAYS_BEFORE))
    ending = ListedModel.objects.filter(shutdown_date__range=(today, until))
    found = [_notice(each, today) for each in ending.select_related("provider")]
    Notice.objects.bulk_create(filter(None, found), ignore_conflicts=True)


def _notice(model: ListedModel, today: date) -> Notice | None:
    """None where no job of the team depends on the model."""
    on_it = Q(base_model=model.name) | Q(fine_tuned_model=model.name)
    jobs = FineTuningJob.objects.filter(on_it, provider=model.provider)
    n_jobs = jobs.filter(status__in={*COMMITTED, JobStatus.SUCCEEDED}).count()
    if not n_jobs or model.shutdown_date is None:
        return None
    left = (model.shutdown_date - today).days
    days = next(days for days in DAYS_BEFORE if left <= days)
    day = model.shutdown_date.isoformat()
    return Notice(
        team_id=model.provider.team_id,
        kind=NoticeKind.SHUTDOWN,
        key=f"provider {model.provider_id}: {model.name[:100]} ends {day}: {days} days",
        data={"model": model.name, "date": day, "n": n_jobs},
    )
