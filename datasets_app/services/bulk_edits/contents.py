"""Edits of the conversations themselves."""

from typing import Any

from datasets_app.models import BulkEdit, Example, ReviewState
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import insert_revisions
from datasets_app.services.bulk_edits.storing import store_examples
from datasets_app.services.history import CONTENT_FIELDS, snapshot
from datasets_app.services.long_rows import pieces_of


class ContentEdit(Kind):
    """A changed row is a draft again, as after any change; see `save_example`."""

    rows_at_once = 500  # about a fifth of a second of SQLite's only write lock

    def edit(self, edit: BulkEdit, example: Example) -> None:
        """Set the content fields as they should be; put new values, change none."""
        raise NotImplementedError

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        outcome = Outcome(0)
        for piece in pieces_of(pks):
            outcome += self._change(edit, piece)
        return outcome

    def _change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        rows = Example.objects.filter(pk__among=pks).defer("text")
        changed: list[tuple[Example, dict[str, Any]]] = []
        for example in rows.order_by("pk"):
            before = snapshot(example)
            self.edit(edit, example)
            if any(getattr(example, name) != before[name] for name in CONTENT_FIELDS):
                example.state = ReviewState.DRAFT
                changed.append((example, before))
        examples = [example for example, _before in changed]
        n_invalid = store_examples(edit, examples, {*CONTENT_FIELDS, "state"})
        # Only now: storing makes the conversations canonical.
        insert_revisions(edit, {row.pk: _changes(row, was) for row, was in changed})
        return Outcome(len(changed), n_invalid)


def _changes(example: Example, before: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [before[name], value]
        for name, value in snapshot(example).items()
        if before[name] != value
    }
