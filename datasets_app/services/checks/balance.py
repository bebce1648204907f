"""When the balance of a dataset is measured anew.

That takes seconds for a hundred thousand rows, which one edit hardly changes: then the
report of an earlier check stays the newest one.
"""

from datetime import timedelta

from django.db.models import QuerySet, Sum
from django.utils.timezone import now

from datasets_app.models import CheckRun, Dataset

SMALL_ROWS = 5_000  # so few are measured in a moment
FEW_PERCENT = 1
OLD = timedelta(minutes=10)


def measured_runs(dataset: Dataset) -> QuerySet[CheckRun]:
    """The checks that have a report, the newest first."""
    return CheckRun.objects.filter(dataset=dataset).exclude(balance={})


def is_balance_due(run: CheckRun) -> bool:
    """A person asked, many rows changed since the last report, or it is old."""
    if run.created_by_id or run.n_rows <= SMALL_ROWS:
        return True
    last = measured_runs(run.dataset).filter(pk__lt=run.pk).first()
    if last is None or last.finished_at is None or now() - last.finished_at > OLD:
        return True
    since = CheckRun.objects.filter(dataset=run.dataset, pk__gt=last.pk, pk__lte=run.pk)
    n_read = since.aggregate(n=Sum("n_read"))["n"] or 0
    return bool(n_read * 100 >= run.n_rows * FEW_PERCENT)
