"""Reviewing: who may say what of an example.

    draft ⇄ in review → approved, rejected

A change of the conversation makes it a draft again, whoever makes it. Where the team
has four eyes, nobody approves a conversation that they wrote last.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from datasets_app.models import ReviewState
from teams_app.models import Role, Team

S = ReviewState
_BY_CURATORS = {(S.DRAFT, S.IN_REVIEW), (S.IN_REVIEW, S.DRAFT)} | {
    (S.REJECTED, S.DRAFT),  # for another try
    (S.REJECTED, S.IN_REVIEW),
}

# (from, to) → who may; what is missing is nobody's.
MAY_DECIDE: dict[tuple[str, str], Role] = {
    (old.value, new.value): (
        Role.CURATOR if (old, new) in _BY_CURATORS else Role.REVIEWER
    )
    for old in S
    for new in S
    if old != new
}


def role_to_make(state: str) -> Role:
    """What it takes at least to give rows this state."""
    return min(
        (role for (_old, new), role in MAY_DECIDE.items() if new == state),
        key=lambda role: role.rank,
    )


def is_own_work(row: Mapping[str, Any], *, team: Team, by: Any) -> bool:
    """Do four eyes forbid `by` to approve this row of `values()`?

    Whom nobody knows cannot be told from the writer.
    """
    if not team.four_eyes:
        return False
    return by is None or by.pk == (row["content_by_id"] or row["created_by_id"])


def written_by(by: Any) -> Q:
    """The rows whose conversation is theirs, as it is now."""
    return Q(content_by=by) | Q(content_by=None, created_by=by)
