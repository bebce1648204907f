"""Edits that give a few columns the same value in every row."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.database.bulk import keys_in
from datasets_app.models import BulkEdit, BulkKind, Example, Split
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import changes_of, record
from datasets_app.services.errors import BadEdit
from teams_app.models import Membership


class ColumnEdit(Kind):
    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        """The value that each column is to have."""
        raise NotImplementedError

    def eligible(self, edit: BulkEdit, rows: QuerySet[Example]) -> QuerySet[Example]:
        """Those of the rows that may be changed so."""
        return rows

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        rows = self.eligible(edit, Example.objects.filter(pk__in=keys_in(pks)))
        rows = rows.order_by()
        targets = self.targets(edit)
        any_differs = Q()
        for differing, condition in _differences(targets):
            pairs = {name: (F(name), _as_json(targets[name])) for name in differing}
            record(edit, rows.filter(condition), changes_of(pairs))
            any_differs |= condition
        n_changed = rows.filter(any_differs).update(
            **targets, updated_at=now(), updated_by=edit.created_by_id
        )
        return Outcome(n_changed)


def _differences(targets: dict[str, Any]) -> Iterator[tuple[list[str], Q]]:
    """Every choice of columns, and which rows differ from the targets in just these."""
    for choice in product((True, False), repeat=len(targets)):
        chosen = dict(zip(targets, choice, strict=True))
        if any(choice):
            conditions = (
                _differs(name, targets[name], is_wanted)
                for name, is_wanted in chosen.items()
            )
            yield [name for name in targets if chosen[name]], Q(*conditions)


def _differs(name: str, target: Any, is_wanted: bool) -> Q:
    if target is None:
        return Q(**{f"{name}__isnull": not is_wanted})
    same = Q(**{name: target})
    return ~same if is_wanted else same


def _as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


class Delete(ColumnEdit):
    """Into the bin, from which undoing or the bin's own page brings the rows back."""

    code = BulkKind.DELETE

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"deleted_at": now()}


class Move(ColumnEdit):
    """`params`: the `split` to put the rows into."""

    code = BulkKind.SPLIT

    def clean(self, edit: BulkEdit) -> None:
        if edit.params.get("split") not in Split.values:
            raise BadEdit(_("Choose training or validation."))

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"split": edit.params["split"]}


class Pin(ColumnEdit):
    """`params`: `is_pinned`, whether splitting anew leaves the rows where they are."""

    code = BulkKind.PIN

    def clean(self, edit: BulkEdit) -> None:
        edit.params = {"is_pinned": bool(edit.params.get("is_pinned"))}

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return dict(edit.params)


class Assign(ColumnEdit):
    """`params`: `assignee`, the key of a member of the team, or None."""

    code = BulkKind.ASSIGN

    def clean(self, edit: BulkEdit) -> None:
        user = edit.params.get("assignee")
        members = Membership.objects.filter(team=edit.dataset.team_id, user=user)
        if user is not None and not members.exists():
            raise BadEdit(_("Only a member of the team can be given rows."))

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"assignee_id": edit.params["assignee"]}
