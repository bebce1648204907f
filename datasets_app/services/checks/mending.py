"""One-click mends: bulk edits of a kind of their own, each undone as one step."""

from typing import Any

from django.db.models import QuerySet

from datasets_app.models import BulkEdit, BulkKind, Dataset
from datasets_app.services.bulk_edits import start_edit
from datasets_app.services.selection import Selection

SHOWN_MENDS = 3


def start_mend(
    dataset: Dataset, *, code: str, mend: str, example: int | None = None, by: Any
) -> BulkEdit:
    """Mend one example, or all that have the finding. Raises BadEdit."""
    return start_edit(
        dataset=dataset,
        kind=BulkKind.MEND,
        by=by,
        selection=Selection(finding=code, pks=() if example is None else (example,)),
        params={"code": code, "mend": mend},
    )


def newest_mends(dataset: Dataset) -> QuerySet[BulkEdit]:
    """With what each was undone by, if it was."""
    mends = BulkEdit.objects.filter(dataset=dataset, kind=BulkKind.MEND)
    return mends.select_related("created_by", "undone_by")[:SHOWN_MENDS]
