"""Taking back a whole import: what it added goes to the bin, and what it put in an old
row's place becomes again what it was.
"""

from typing import Any

from django.db.models import QuerySet

from datasets_app.database.bulk import keys_in
from datasets_app.models import BulkEdit, BulkKind, Example, ExampleRevision, ImportRun
from datasets_app.services.bulk_edits.columns import Delete
from datasets_app.services.bulk_edits.kind import Outcome
from datasets_app.services.bulk_edits.undo import Changes, put_back
from datasets_app.services.imported_rows import changed_since


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
        revisions = _revisions(edit, pks)
        replaced = _replaced(revisions)
        added = [pk for pk in pks if pk not in replaced]
        binned = super().change(edit, added)
        restored = put_back(edit, replaced, revisions)
        return Outcome(binned.n_changed + restored.n_changed, restored.n_invalid)


def _run(edit: BulkEdit) -> ImportRun:
    return ImportRun.objects.get(pk=edit.params["import_run"])


def _revisions(edit: BulkEdit, pks: list[int]) -> QuerySet[ExampleRevision]:
    return ExampleRevision.objects.filter(
        import_run=edit.params["import_run"], example_pk__in=keys_in(pks)
    )


def _replaced(revisions: QuerySet[ExampleRevision]) -> dict[int, Changes]:
    """Of rows that were there before the import: field → [now, as it was].

    The import may have come to a row several times; one that it added itself, and that
    a later line replaced, was not there before.
    """
    found: dict[int, dict[str, list[Any]]] = {}
    for pk, changes in revisions.order_by("pk").values_list("example_pk", "changes"):
        fields = found.setdefault(pk, {})
        for name, (before, after) in changes.items():
            fields[name] = [after, fields[name][1] if name in fields else before]
    return {pk: fields for pk, fields in found.items() if "import_run_id" in fields}
