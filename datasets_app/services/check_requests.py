"""Asking for a check: the row in the table is the request."""

from typing import Any

from django.db import IntegrityError, transaction

from datasets_app.models import CheckRun, Dataset, RunStatus


def request_check(dataset: Dataset, *, by: Any = None) -> CheckRun:
    """The check that waits for a worker: a new one, unless one waits already."""
    try:
        with transaction.atomic():
            return CheckRun.objects.create(dataset=dataset, created_by=by)
    except IntegrityError:
        waiting = CheckRun.objects.filter(dataset=dataset, status=RunStatus.PENDING)
        # Or a worker took that one up just now, and there is room for another.
        return waiting.first() or CheckRun.objects.create(
            dataset=dataset, created_by=by
        )


def rows_changed(dataset_id: int) -> None:
    """Let a dataset that was checked before be checked again.

    Nobody rings: the tick finds the request some seconds later, and until then more
    changes may come, for which one check is enough.
    """
    checks = CheckRun.objects.filter(dataset=dataset_id)
    statuses = set(checks.order_by().values_list("status", flat=True).distinct())
    if RunStatus.FINISHED in statuses and RunStatus.PENDING not in statuses:
        request_check(Dataset(pk=dataset_id))
