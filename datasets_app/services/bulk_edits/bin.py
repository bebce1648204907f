"""The bin: bringing deleted rows back, and deleting them for good."""

from django.db.models import QuerySet

from datasets_app.models import BulkEdit, BulkKind, Example, ExampleRevision
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import put_values
from datasets_app.services.selection import Selection
from teams_app.models import Role


class _BinEdit(Kind):
    """Of the rows in the bin: those that were ticked, or all of them."""

    takes_bin = True

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        deleted = Example.with_deleted.filter(
            dataset=edit.dataset_id, deleted_at__isnull=False
        )
        ticked = Selection.of(edit.selection).pks
        return deleted.filter(pk__in=ticked) if ticked else deleted

    def is_small(self, edit: BulkEdit, most: int) -> bool:
        return len(self.rows(edit).order_by().values_list("pk")[: most + 1]) <= most


class Restore(_BinEdit):
    code = BulkKind.RESTORE

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        rows = self.rows(edit).filter(pk__among=pks)
        return Outcome(put_values(edit, rows, {"deleted_at": None}))


class Purge(_BinEdit):
    """With their comments, and with all that the history tells of them."""

    code = BulkKind.PURGE
    is_undoable = False
    rows_at_once = 500

    def role(self, edit: BulkEdit) -> Role:
        return Role.OWNER

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        rows = self.rows(edit).filter(pk__in=pks)
        gone = list(rows.values_list("pk", flat=True))
        ExampleRevision.objects.filter(example_pk__in=gone).delete()
        rows.filter(pk__in=gone).only("pk").delete()
        return Outcome(len(gone))
