"""Taking back a whole import: what it added goes to the bin, and what it put in an old
row's place becomes again what it was.
"""

from typing import Any

from django.db.models import QuerySet

from datasets_app.models import BulkEdit, BulkKind, Example, ExampleRevision, ImportRun
from datasets_app.services.bulk_edits.columns import Delete
from datasets_app.services.bulk_edits.kind import Outcome
from datasets_app.services.bulk_edits.putting_back import put_back
from datasets_app.services.bulk_edits.recording import FETCHED_ROWS, Changes
from datasets_app.services.imported_rows import changed_since
from datasets_app.services.long_rows import pieces_of_changes


class UndoImport(Delete):
    """`params`: the `import_run`, and whether to keep rows that people changed."""

    code = BulkKind.UNDO_IMPORT

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        rows = Example.objects.filter(
            dataset=edit.dataset_id, import_run=edit.params["import_run"]
        )
        if edit.params["keep_changed"]:
            rows = rows.exclude(pk__in=changed_since(_run(edit)).values("pk"))
        return rows

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        outcome, added = Outcome(0), dict.fromkeys(pks)
        for piece in pieces_of_changes(_revisions(edit), pks):
            revisions = _revisions(edit).filter(example_pk__among=piece)
            replaced = _replaced(revisions)
            outcome += put_back(edit, replaced, revisions)
            for pk in replaced:
                del added[pk]
        return outcome + super().change(edit, [*added])


def _run(edit: BulkEdit) -> ImportRun:
    return ImportRun.objects.get(pk=edit.params["import_run"])


def _revisions(edit: BulkEdit) -> QuerySet[ExampleRevision]:
    return ExampleRevision.objects.filter(import_run=edit.params["import_run"])


def _replaced(revisions: QuerySet[ExampleRevision]) -> dict[int, Changes]:
    """Of rows that were there before the import: field → [now, as it was].

    The import may have come to a row several times; one that it added itself, and that
    a later line replaced, was not there before.
    """
    found: dict[int, dict[str, list[Any]]] = {}
    rows = revisions.order_by("pk").values_list("example_pk", "changes")
    for pk, changes in rows.iterator(FETCHED_ROWS):
        fields = found.setdefault(pk, {})
        for name, (before, after) in changes.items():
            fields[name] = [after, fields[name][1] if name in fields else before]
    return {pk: fields for pk, fields in found.items() if "import_run_id" in fields}
