"""The review state of many rows at once."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example, ReviewState
from datasets_app.services import review
from datasets_app.services.bulk_edits.columns import ColumnEdit
from datasets_app.services.errors import BadEdit
from teams_app.models import Role


class Review(ColumnEdit):
    """`params`: the `state` to give, and the `reason` where that is a rejection."""

    code = BulkKind.STATE

    def role(self, edit: BulkEdit) -> Role:
        return review.role_to_make(edit.params["state"])

    def clean(self, edit: BulkEdit) -> None:
        state = edit.params.get("state")
        reason = str(edit.params.get("reason") or "").strip()
        if state not in ReviewState.values:
            raise BadEdit(_("Choose a review state."))
        if state == ReviewState.REJECTED and not reason:
            raise BadEdit(_("Say why the rows are rejected: their authors will ask."))
        edit.params = {"state": state, "reason": reason[: review.LONGEST_REASON]}

    def targets(self, edit: BulkEdit) -> dict[str, Any]:
        return review.values_of(edit.params["state"], edit.params["reason"])

    def eligible(self, edit: BulkEdit, rows: QuerySet[Example]) -> QuerySet[Example]:
        return review.reviewable(
            rows,
            state=edit.params["state"],
            team=edit.dataset.team,
            by=edit.created_by,
        )
