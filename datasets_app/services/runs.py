"""What every run has in common: one process claims it, and holds it until it ends.

A door commits a pending run and rings a task; a tick rings again for whatever nobody
heard, and for a run whose process died. Cancelling is one UPDATE: the process notices
at its next piece, because it holds no running row any more.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import F, Model, Q, QuerySet
from django.utils.timezone import now

from datasets_app.models import RunStatus

UNHEARD_SECONDS = 5  # a waiting run this old was not picked up by whoever rang
STALE_SECONDS = 60  # a running one without a sign of life for so long is dead
MAX_ATTEMPTS = 5


class LostClaim(Exception):
    """The run was cancelled or deleted, or another process goes on with it: stop."""


def start(run: Any, **fields: Any) -> bool:
    """Hand a draft to the workers, as it is now. False if it is none any more."""
    return _hand_over(run, (RunStatus.DRAFT,), **fields)


def resume(run: Any, **fields: Any) -> bool:
    """Let a run that failed or was cancelled go on where it stopped."""
    return _hand_over(run, (RunStatus.FAILED, RunStatus.CANCELLED), **fields)


def _hand_over(run: Any, statuses: tuple[RunStatus, ...], **fields: Any) -> bool:
    fields |= {"status": RunStatus.PENDING, "heartbeat_at": now(), "n_attempts": 0}
    fields |= {"finished_at": None}
    chosen = type(run)._default_manager.filter(pk=run.pk, status__in=statuses)
    if not chosen.update(**fields):
        return False
    run.refresh_from_db()
    return True


def waiting(model: type[Model]) -> QuerySet[Any]:
    """The runs that nobody works on, though somebody should."""
    unheard = now() - timedelta(seconds=UNHEARD_SECONDS)
    never_begun = Q(heartbeat_at=None, created_at__lt=unheard)
    pending = Q(status=RunStatus.PENDING) & (never_begun | Q(heartbeat_at__lt=unheard))
    return model._default_manager.filter(pending | _is_stale())


def claim(run: Any) -> bool:
    """Take a waiting run, or one whose process died. Of two callers one wins."""
    free, time = Q(status=RunStatus.PENDING) | _is_stale(), now()
    n_claimed = (
        type(run)
        ._default_manager.filter(free, pk=run.pk)
        .update(
            status=RunStatus.RUNNING,
            claim=uuid.uuid4(),
            heartbeat_at=time,
            started_at=time,
            n_done_before=F("n_done"),
            n_attempts=F("n_attempts") + 1,
        )
    )
    if n_claimed:
        run.refresh_from_db()
    return bool(n_claimed)


def has_failed_too_often(run: Any) -> bool:
    """Does the run end its process again and again?"""
    return bool(run.n_attempts > MAX_ATTEMPTS)


def update(run: Any, **fields: Any) -> None:
    """Change the row if this process still holds the claim. Raises LostClaim."""
    fields["heartbeat_at"] = now()
    held = type(run)._default_manager.filter(
        pk=run.pk, claim=run.claim, status=RunStatus.RUNNING
    )
    if not held.update(**fields):
        raise LostClaim
    for name, value in fields.items():
        setattr(run, name, value)


def release(run: Any) -> None:
    """Let whoever comes next go on with the run. Raises LostClaim."""
    update(run, status=RunStatus.PENDING)


def end(run: Any, status: RunStatus, **fields: Any) -> None:
    """The run's last word. Raises LostClaim."""
    update(run, status=status, finished_at=now(), **fields)


def cancel(run: Any) -> bool:
    """Stop a run; what it has done so far stays. False if it had ended already."""
    unfinished = (RunStatus.DRAFT, RunStatus.PENDING, RunStatus.RUNNING)
    cancelled = type(run)._default_manager.filter(pk=run.pk, status__in=unfinished)
    return bool(cancelled.update(status=RunStatus.CANCELLED, finished_at=now()))


def _is_stale() -> Q:
    dead = now() - timedelta(seconds=STALE_SECONDS)
    return Q(status=RunStatus.RUNNING, heartbeat_at__lt=dead)
