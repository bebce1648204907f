"""Taking a bulk edit back: exactly what it changed, row by row.

A row that somebody changed since in one of the same fields is left as it is, and so is
one that would be approved again though its conversation is another by now. Tags are put
on and taken off one by one, so other tags do not matter.
"""

from django.db.models import QuerySet

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.services.bulk_edits import registry
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.putting_back import put_back
from datasets_app.services.bulk_edits.recording import read_backwards
from datasets_app.services.long_rows import pieces_of_changes
from teams_app.models import Role


class Undo(Kind):
    code = BulkKind.UNDO
    takes_bin = True

    def role(self, edit: BulkEdit) -> Role:
        return registry.kind_of(_undone(edit)).role(_undone(edit))

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        changed = _undone(edit).revisions.values("example_pk")
        return Example.with_deleted.filter(dataset=edit.dataset, pk__in=changed)

    def n_rows(self, edit: BulkEdit) -> int:
        return _undone(edit).n_changed

    def is_small(self, edit: BulkEdit, most: int) -> bool:
        return _undone(edit).n_changed <= most

    def next_pks(self, edit: BulkEdit) -> list[int]:
        left = _undone(edit).revisions.filter(example_pk__gt=edit.last_pk)
        pks = left.order_by("example_pk").values_list("example_pk", flat=True)
        return list(pks[: self.rows_at_once])

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        outcome, undone = Outcome(0), _undone(edit).revisions.all()
        for piece in pieces_of_changes(undone, pks):
            revisions = undone.filter(example_pk__among=piece)
            outcome += put_back(edit, read_backwards(revisions), revisions)
        return outcome


def _undone(edit: BulkEdit) -> BulkEdit:
    return edit.undoes  # type: ignore[return-value]
