"""What every kind of bulk edit has in common."""

from dataclasses import dataclass

from django.db.models import QuerySet

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.services import candidates
from datasets_app.services.selection import Selection
from teams_app.models import Role


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of some rows: how many differ now, and how many of these have problems."""

    n_changed: int
    n_invalid: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        n_invalid = self.n_invalid + other.n_invalid
        return Outcome(self.n_changed + other.n_changed, n_invalid)


class Kind:
    """One kind of bulk edit: what it does to a piece of the rows.

    A subclass is made once and knows no edit; `registry` lists them all.
    """

    code: BulkKind
    is_undoable = True
    takes_bin = False  # may rows be in the bin when their turn comes?
    rows_at_once = 5_000

    def role(self, edit: BulkEdit) -> Role:
        """Who may do this."""
        return Role.CURATOR

    def clean(self, edit: BulkEdit) -> None:
        """Check and complete `edit.params` before the edit is stored.

        Raises:
            BadEdit: the parameters make no sense.
        """

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        """The rows that are meant, in any order."""
        return Selection.of(edit.selection).examples(edit.dataset)

    def n_rows(self, edit: BulkEdit) -> int:
        """How many these are; asked once, in the worker."""
        means_selection = type(self).rows is Kind.rows  # and no rows of its own
        selection = Selection.of(edit.selection)
        counted = means_selection and candidates.known_count(selection, edit.dataset)
        return counted or self.rows(edit).order_by().count()

    def is_small(self, edit: BulkEdit, most: int) -> bool:
        """Are at most so many rows meant? In doubt no: a request waits for the answer.

        A filter that fits few rows is answered from an index; of a large dataset,
        nothing else is looked at.
        """
        selection = Selection.of(edit.selection)
        few = candidates.few(selection, edit.dataset)
        if few is None:
            live = Example.objects.filter(dataset=edit.dataset_id).order_by("pk")
            return len(live.values_list("pk")[: most + 1]) <= most
        meant = selection.examples(edit.dataset).filter(pk__in=few).order_by()
        return len(meant.values_list("pk")[: most + 1]) <= most

    def next_pks(self, edit: BulkEdit) -> list[int]:
        """The next piece of them, by their keys; none if all are done."""
        left = self.rows(edit).filter(pk__gt=edit.last_pk, pk__lte=edit.until_pk)
        pks = left.order_by("pk").values_list("pk", flat=True)
        return list(pks[: self.rows_at_once])

    def prepare(self, edit: BulkEdit) -> None:
        """Once in each process that works on the edit, before its first piece.

        Not within a transaction, so it may take its time.
        """

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        """Change these rows and record each change; they are locked until the commit.

        It asks again what of them is to be changed: somebody may have been quicker.
        They are not in the bin, though, unless `takes_bin`.
        """
        raise NotImplementedError

    def finish(self, edit: BulkEdit) -> None:
        """After the last piece; harmless to call twice."""
