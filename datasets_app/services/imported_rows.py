"""The rows of an import, as they are by now."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets_app.models import BulkKind, Example, ExampleRevision, ImportRun

# Edits that only take something back: nobody's own work is in them.
TAKE_BACK = (BulkKind.UNDO, BulkKind.UNDO_IMPORT)


def changed_since(run: ImportRun) -> QuerySet[Example]:
    """Those that somebody changed or mended since the import ended.

    The time of change is looked at first: there is an index of it.
    """
    rows = Example.objects.filter(dataset=run.dataset_id, import_run=run)
    if run.finished_at is None:
        return rows.none()
    changes = ExampleRevision.objects.filter(
        example_pk=OuterRef("pk"), created_at__gt=run.finished_at
    ).exclude(bulk_edit__kind__in=TAKE_BACK)
    return rows.filter(updated_at__gt=run.finished_at).filter(
        Q(created_at__gt=run.finished_at) | Exists(changes)
    )
