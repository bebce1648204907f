"""Edits that give a few columns the same value in every row."""

from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example, Split
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import put_values
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
        rows = self.eligible(edit, Example.with_deleted.filter(pk__among=pks))
        return Outcome(put_values(edit, rows, self.targets(edit)))


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
