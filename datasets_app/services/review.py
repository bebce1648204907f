"""Reviewing: who may say what of an example.

    draft ⇄ in review → approved, rejected

A change of the conversation makes it a draft again, whoever makes it. Where the team
has four eyes, nobody approves a conversation that they wrote last, by any door.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from datasets_app.models import Comment, Example, ExampleRevision, ReviewState
from datasets_app.services.check_requests import rows_changed
from datasets_app.services.errors import ChangedMeanwhile, NotReviewed
from datasets_app.services.history import record_change, snapshot
from teams_app import audit
from teams_app.access import has_role
from teams_app.models import Membership, Role, Team, Verb

S = ReviewState
LONGEST_REASON = 500
_BY_CURATORS = {
    (S.DRAFT, S.IN_REVIEW),
    (S.IN_REVIEW, S.DRAFT),
    (S.REJECTED, S.DRAFT),  # for another try
    (S.REJECTED, S.IN_REVIEW),
}

# (from, to) → who may. Rejecting again gives another reason.
MAY_DECIDE: dict[tuple[str, str], Role] = {
    (old.value, new.value): (
        Role.CURATOR if (old, new) in _BY_CURATORS else Role.REVIEWER
    )
    for old in S
    for new in S
    if old != new or new == S.REJECTED
}


def role_to_make(state: str) -> Role:
    """What it takes at least to give rows this state."""
    return min(
        (role for (_old, new), role in MAY_DECIDE.items() if new == state),
        key=lambda role: role.rank,
    )


def may_undo(before: str | None, state_now: str | None, *, team: Team, by: Any) -> bool:
    """Taking a decision back takes the role that the decision took; a command may."""
    role = MAY_DECIDE.get((str(before), str(state_now)), Role.REVIEWER)
    return by is None or has_role(by, team, role)


def values_of(state: str, reason: str) -> dict[str, str]:
    """The columns of a decision. A reason stays readable until the row is approved."""
    if state == S.REJECTED:
        return {"state": state, "reject_reason": reason[:LONGEST_REASON]}
    if state == S.APPROVED:
        return {"state": state, "reject_reason": ""}
    return {"state": state}


def reviewable(
    rows: QuerySet[Example], *, state: str, team: Team, by: Any
) -> QuerySet[Example]:
    """Those of the rows, all of one team, that `by` may give this state.

    Without `by` a command decides, which may do anything but approve its own work: whom
    nobody knows cannot be told from the writer.
    """
    old_states = [
        old
        for (old, new), role in MAY_DECIDE.items()
        if new == state and (by is None or has_role(by, team, role))
    ]
    rows = rows.filter(state__in=old_states)
    if state != S.APPROVED:
        return rows
    rows = rows.filter(is_valid=True)
    if not team.four_eyes:
        return rows
    return rows.none() if by is None else rows.exclude(written_by(by))


def written_by(by: Any) -> Q:
    """The rows whose conversation is theirs, as it is now."""
    return Q(content_by=by) | Q(content_by=None, created_by=by)


def is_own_work(row: Mapping[str, Any], *, team: Team, by: Any) -> bool:
    """Do four eyes forbid `by` to approve this row of `values()`?"""
    if not team.four_eyes:
        return False
    return by is None or by.pk == (row["content_by_id"] or row["created_by_id"])


@transaction.atomic
def decide(
    example: Example,
    *,
    state: str,
    by: Any,
    reason: str = "",
    seen: datetime | None = None,
) -> ExampleRevision | None:
    """Give one row a review state. Returns what was recorded; None: it had it already.

    Args:
        seen: the row's `updated_at` as its reviewer saw it.

    Raises:
        ChangedMeanwhile: somebody changed the row after it was seen.
        NotReviewed: this may not be; the text says why.
    """
    row = _locked(example, seen)
    before = snapshot(row)
    if why_not := why_not_decided(row, state=state, by=by, reason=reason):
        raise NotReviewed(why_not)
    for name, value in values_of(state, reason.strip()).items():
        setattr(row, name, value)
    return _store(row, before, by)


def _locked(example: Example, seen: datetime | None) -> Example:
    rows = Example.objects.select_for_update(of=("self",))
    row = rows.select_related("dataset__team", "updated_by").get(pk=example.pk)
    if seen is not None and row.updated_at != seen:
        raise ChangedMeanwhile.of(row)
    return row


def _store(row: Example, before: dict[str, Any], by: Any) -> ExampleRevision | None:
    revision = record_change(row, before=before, by=by)
    if revision is not None:
        row.updated_by = by
        row.save(
            update_fields=[
                "state",
                "reject_reason",
                "assignee",
                "updated_at",
                "updated_by",
            ]
        )
        rows_changed(row.dataset_id)  # what is rejected is no duplicate of anything
    return revision


def why_not_decided(row: Example, *, state: str, by: Any, reason: str = "") -> str:
    """Why `by` may not give the row this state; empty if they may."""
    team = row.dataset.team
    if state == S.REJECTED and not reason.strip():
        return _("Say why the row is rejected: its author will ask.")
    if row.state == state != S.REJECTED:
        return ""
    role = MAY_DECIDE.get((row.state, state))
    if role is None:
        return _("There is no such step.")
    if by is not None and not has_role(by, team, role):
        return _("This needs the role “%(role)s”.") % {"role": role.label}
    return _why_not_approved(row, by) if state == S.APPROVED else ""


def _why_not_approved(row: Example, by: Any) -> str:
    if not row.is_valid:
        return _("Not approved: mend the problems first.")
    values = {"content_by_id": row.content_by_id, "created_by_id": row.created_by_id}
    if is_own_work(values, team=row.dataset.team, by=by):
        return _(
            "You wrote this conversation as it is now, and your team asks for four "
            "eyes: somebody else has to approve it."
        )
    return ""


@transaction.atomic
def take_back(revision: ExampleRevision, *, by: Any) -> Example:
    """Undo one decision: the row gets back the state and reason it had before.

    Raises:
        ChangedMeanwhile: somebody decided or changed it since.
        NotReviewed: the one who undoes may not bring that state back.
    """
    rows = Example.objects.filter(dataset=revision.dataset_id)
    row = _locked(rows.get(pk=revision.example_pk), None)
    before = snapshot(row)
    fields = {
        name: pair
        for name, pair in revision.changes.items()
        if name in ("state", "reject_reason")
    }
    if any(before[name] != after for name, (_was, after) in fields.items()):
        raise ChangedMeanwhile.of(row)
    then = fields.get("state", [row.state])[0]
    role = MAY_DECIDE.get((then, row.state), Role.REVIEWER)
    if not has_role(by, row, role):
        raise NotReviewed(_("This needs the role “%(role)s”.") % {"role": role.label})
    if then == S.APPROVED and (why_not := _why_not_approved(row, by)):
        raise NotReviewed(why_not)
    for name, (was, _after) in fields.items():
        setattr(row, name, was)
    _store(row, before, by)
    return row


@transaction.atomic
def assign(example: Example, *, to: Any, by: Any) -> None:
    """Give the row to a member of its team, or to nobody. Raises NotReviewed."""
    row = _locked(example, None)
    before = snapshot(row)
    members = Membership.objects.filter(team=row.dataset.team_id, user=to)
    if to is not None and not members.exists():
        raise NotReviewed(_("Only a member of the team can be given rows."))
    row.assignee = to
    _store(row, before, by)


@transaction.atomic
def comment_on(example: Example, *, text: str, by: Any) -> Comment:
    """Say something about a row. Raises NotReviewed if nothing is said."""
    text = text.strip()
    if not text:
        raise NotReviewed(_("Write something first."))
    audit.record(Verb.COMMENTED, example.dataset, by=by, row=example.pk)
    return Comment.objects.create(example=example, text=text[:4_000], created_by=by)
