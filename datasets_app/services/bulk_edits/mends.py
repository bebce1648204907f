"""Mending what a check found: in one row, or in all that have the finding."""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.checks.mends import (
    CONTENT_MENDS,
    MASK,
    MENDS_OF,
    REMOVE,
    masked_extra,
)
from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Example,
    ExampleFeatures,
    Finding,
    Split,
)
from datasets_app.services.bulk_edits.columns import ColumnEdit
from datasets_app.services.bulk_edits.contents import ContentEdit
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.errors import BadEdit

_HASH = F("example__content_hash")
_TEXTS = ("messages", "preferred_output", "non_preferred_output")


class Mend(Kind):
    """`params`: the `code` of a finding, and the name of a `mend` for it."""

    code = BulkKind.MEND
    rows_at_once = 500

    def clean(self, edit: BulkEdit) -> None:
        if edit.params.get("mend") not in MENDS_OF.get(edit.params.get("code", ""), ()):
            raise BadEdit(_("There is no such mend for this finding."))

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        return self._part(edit).change(edit, self._with_finding(edit, pks))

    def _part(self, edit: BulkEdit) -> Kind:
        if edit.params["mend"] in CONTENT_MENDS:
            return _MendContent()
        return _RemoveCopy() if edit.params["mend"] == REMOVE else _ToTraining()

    def _with_finding(self, edit: BulkEdit, pks: list[int]) -> list[int]:
        findings = Finding.objects.filter(example__in=pks, code=edit.params["code"])
        return list(findings.order_by().values_list("example", flat=True).distinct())


class _MendContent(ContentEdit):
    def edit(self, edit: BulkEdit, example: Example) -> None:
        mend = CONTENT_MENDS[edit.params["mend"]]
        for name in _TEXTS:
            if isinstance(messages := getattr(example, name), list):
                setattr(example, name, mend(messages))
        if edit.params["mend"].startswith(MASK):
            example.extra = masked_extra(example.extra, edit.params["code"])


class _OfCopies(ColumnEdit):
    """Only rows whose original is still there, as both were when they were compared."""

    def eligible(self, edit: BulkEdit, rows: QuerySet[Example]) -> QuerySet[Example]:
        unchanged = ExampleFeatures.objects.filter(content_hash=_HASH)
        finding = Finding.objects.filter(
            Exists(unchanged.filter(example=OuterRef("other"))),
            example=OuterRef("pk"),
            code=edit.params["code"],
            other__deleted_at=None,
            other__dataset=F("dataset"),
        )
        as_compared = unchanged.filter(example=OuterRef("pk"))
        return rows.filter(Exists(finding), Exists(as_compared))


class _RemoveCopy(_OfCopies):
    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"deleted_at": now()}


class _ToTraining(_OfCopies):
    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return {"split": Split.TRAIN.value}
