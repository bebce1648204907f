"""Reading and comparing a dataset's rows: one process at a time.

Of two that did it at once, one would write groups of which it does not know that the
other joined them, or mark rows as compared that only the other has read. So whoever
compares holds a check of the dataset, of which there is one that runs.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.db import IntegrityError, transaction

from datasets_app.models import CheckRun, Dataset, RunStatus
from datasets_app.services import runs
from datasets_app.services.check_requests import request_check
from datasets_app.services.checks.features import refresh_features
from datasets_app.services.checks.near import refresh_groups

LOOK_SECONDS = 0.2  # between two looks whether another process is done
ROWS_OF_COMPARING = 10  # comparing all takes about a tenth of reading all

Part = Callable[[], object]


def claim_check(run: CheckRun) -> bool:
    """Not while another check of the dataset is at work: the tick rings again."""
    try:
        with transaction.atomic():
            return runs.claim(run)
    except IntegrityError:
        return False


def compare(run: CheckRun, *, on_part: Part = lambda: None) -> int:
    """Read what changed and keep the groups; returns how many rows were read.

    Everything is written while `run` is held. Raises LostClaim.
    """
    n_before = run.n_read

    def on_batch(n_read: int, n_stale: int) -> None:
        on_part()
        n_total = n_stale + n_stale // ROWS_OF_COMPARING + 1
        runs.update(run, n_done=n_read, n_total=n_total, n_read=n_before + n_read)

    def on_pairs() -> None:
        on_part()
        runs.update(run)

    hold = partial(runs.update, run)
    n_read = refresh_features(run.dataset, on_batch=on_batch, hold=hold)
    runs.update(run, n_read=n_before + n_read, n_done=n_read)
    refresh_groups(run.dataset, on_part=on_pairs)
    return n_read


def compare_rows(dataset: Dataset, *, on_part: Part) -> None:
    """Have the features and groups of the rows as they are now, and not before.

    Waits while another process compares. The check that this begins is left to a
    worker, which finds everything read. `on_part` may raise LostClaim, which ends it.
    """
    while not _is_compared(dataset, on_part):
        on_part()
        time.sleep(LOOK_SECONDS)


def is_being_checked(dataset: Dataset) -> bool:
    running = CheckRun.objects.filter(dataset=dataset, status=RunStatus.RUNNING)
    return running.exists()


def _is_compared(dataset: Dataset, on_part: Part) -> bool:
    check = _claimed_check(dataset)
    if check is None:
        return False
    try:
        compare(check, on_part=on_part)
    except runs.LostClaim:
        on_part()  # raises again if it was that of who asks
        return False
    finally:
        _leave(check)
    return True


def _claimed_check(dataset: Dataset) -> CheckRun | None:
    """One that waits, or that whoever died had begun; None while another works."""
    request_check(dataset)
    unfinished = CheckRun.objects.filter(
        dataset=dataset, status__in=(RunStatus.PENDING, RunStatus.RUNNING)
    )
    return next(filter(claim_check, unfinished.order_by("pk")), None)


def _leave(check: CheckRun) -> None:
    """To whoever comes next; if another check waits by now, that one is enough."""
    with suppress(runs.LostClaim):
        try:
            with transaction.atomic():
                runs.update(check, status=RunStatus.PENDING, n_attempts=0)
        except IntegrityError:
            runs.end(check, RunStatus.CANCELLED)
