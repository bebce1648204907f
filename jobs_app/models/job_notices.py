"""Which moves of a job are told of. Called by `move_to`, in its transaction."""

from typing import Any

from jobs_app.models.notices import Notice, NoticeKind

TOLD_MOVES = {
    "awaiting_approval": NoticeKind.APPROVAL_NEEDED,
    "declined": NoticeKind.DECLINED,
    "unsure": NoticeKind.UNSURE,
    "succeeded": NoticeKind.FINISHED,
    "failed": NoticeKind.FAILED,
}


def tell_of_move(job: Any, old: str, new: str) -> None:
    """Put a notice into the outbox, if people may want to hear of this move.

    Only one process moves a job from a status, so there is one notice of it.
    """
    kind = TOLD_MOVES.get(new)
    if old == "awaiting_approval" and new == "pending":
        kind = NoticeKind.APPROVED
    if kind is not None:
        since = job.status_changed_at.isoformat()
        key = f"job {job.pk}: {old} since {since} → {new}"
        Notice.objects.create(team_id=job.team_id, kind=kind, key=key, job=job)
