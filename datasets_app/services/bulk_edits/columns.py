"""Edits that give a few columns the same value in every row."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import changes_of, record


class ColumnEdit(Kind):
    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        """The value that each column is to have."""
        raise NotImplementedError

    def eligible(self, edit: BulkEdit, rows: QuerySet[Example]) -> QuerySet[Example]:
        """Those of the rows that may be changed so."""
        return rows

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        rows = self.eligible(edit, Example.objects.filter(pk__in=pks)).order_by()
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
        differing = [
            name for name, chosen in zip(targets, choice, strict=True) if chosen
        ]
        if differing:
            conditions = (
                _differs(name, targets[name])
                if chosen
                else ~_differs(name, targets[name])
                for name, chosen in zip(targets, choice, strict=True)
            )
            yield differing, Q(*conditions)


def _differs(name: str, target: Any) -> Q:
    return Q(**{f"{name}__isnull": False}) if target is None else ~Q(**{name: target})


def _as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


class Delete(ColumnEdit):
    """Into the bin, from which undoing or the bin's own page brings the rows back."""

    code = BulkKind.DELETE

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"deleted_at": now()}
