"""Dividing a dataset anew into a training and a validation part.

Rows are compared before they are divided, and again when all have moved: whatever was
edited, imported or moved by others meanwhile, rows that are alike end in one part.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example, ExampleRevision, Split
from datasets_app.services import runs
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import put_values
from datasets_app.services.checks.comparing import compare_rows, is_being_checked
from datasets_app.services.checks.keeping import in_chunks, lock_examples
from datasets_app.services.errors import BadEdit
from datasets_app.splitting import Row, rows_astride, validation_rows

MOST_PERCENT = 50
MOST_LOOKS = 5  # at what others changed meanwhile; each takes less time than the last


class Resplit(Kind):
    """`params` holds the `percent` of the rows that go to validation.

    The selection is not looked at: a part of the rows cannot be divided fairly.
    """

    code = BulkKind.RESPLIT
    # The rows to validate on, of the edit that this thread works on: every piece asks.
    _plan = threading.local()

    def clean(self, edit: BulkEdit) -> None:
        percent = edit.params.get("percent")
        if type(percent) is not int or not 0 <= percent <= MOST_PERCENT:
            raise BadEdit(_("Keep between 0 and 50 percent for validation."))
        edit.params = {"percent": percent}

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        return Example.objects.filter(dataset=edit.dataset)

    def is_small(self, edit: BulkEdit, most: int) -> bool:
        """A request does not wait until a check has ended."""
        return super().is_small(edit, most) and not is_being_checked(edit.dataset)

    def prepare(self, edit: BulkEdit) -> None:
        """Choose the rows to validate on.

        A process that goes on with a killed edit chooses the same: where a row is by
        now does not matter, unless it is pinned.
        """
        _compare(edit)
        chosen = validation_rows(_rows(edit), edit.params["percent"] / 100)
        self._plan.chosen = chosen

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        chosen = self._plan.chosen.intersection(pks)
        to_validation = _move(edit, chosen, Split.VALIDATION)
        return Outcome(to_validation + _move(edit, {*pks} - chosen, Split.TRAIN))

    def finish(self, edit: BulkEdit) -> None:
        """Bring together what is alike by now, until nothing more changed."""
        self._plan.chosen = set()
        for _look in range(MOST_LOOKS):
            _compare(edit)
            if not self._bring_together(edit):
                return

    def _bring_together(self, edit: BulkEdit) -> bool:
        moves = rows_astride(_rows(edit, features__near_group__isnull=False))
        for is_validation in (False, True):
            split = Split.VALIDATION if is_validation else Split.TRAIN
            pks = sorted(pk for pk, goes in moves.items() if goes == is_validation)
            for chunk in in_chunks(pks):
                with transaction.atomic():
                    self._move_on(edit, lock_examples(chunk), split)
        return bool(moves)

    def _move_on(self, edit: BulkEdit, pks: set[int], split: Split) -> None:
        """A row that this edit moved before goes back, as if it never had moved."""
        moving = Example.objects.filter(~Q(split=split), pk__in=pks)
        back = _moved_last(edit, set(moving.values_list("pk", flat=True)))
        ExampleRevision.objects.filter(pk__in=back.values()).delete()
        _put(edit, moving.filter(pk__in=back), split)
        n_moved = _move(edit, pks - back.keys(), split)
        runs.update(edit, n_changed=edit.n_changed + n_moved - len(back))


def _move(edit: BulkEdit, pks: AbstractSet[int], split: Split) -> int:
    rows = Example.objects.filter(pk__among=pks)
    return put_values(edit, rows, {"split": split.value})


def _put(edit: BulkEdit, rows: QuerySet[Example], split: Split) -> int:
    return rows.update(split=split, updated_at=now(), updated_by=edit.created_by_id)


def _moved_last(edit: BulkEdit, pks: AbstractSet[int]) -> dict[int, int]:
    """The rows whose last change is one of this edit, with that revision's key."""
    later = ExampleRevision.objects.filter(
        example_pk=OuterRef("example_pk"), pk__gt=OuterRef("pk")
    )
    own = edit.revisions.filter(~Exists(later), example_pk__in=pks)
    return dict(own.values_list("example_pk", "pk"))


def _compare(edit: BulkEdit) -> None:
    compare_rows(edit.dataset, on_part=lambda: runs.update(edit))


def _rows(edit: BulkEdit, **conditions: Any) -> Iterator[Row]:
    strata = _strata(edit)
    found = Example.objects.filter(dataset=edit.dataset, **conditions).order_by()
    columns = ("pk", "content_hash", "split", "is_pinned", "features__near_group")
    for pk, digest, split, is_pinned, group in found.values_list(*columns).iterator():
        is_validation = split == Split.VALIDATION
        yield Row(
            pk=pk,
            key=int(digest[:16], 16),
            stratum=strata.get(pk, ""),
            group=group,
            pinned=is_validation if is_pinned else None,
            is_validation=is_validation,
        )


def _strata(edit: BulkEdit) -> dict[int, str]:
    """The tags of each row that has some."""
    names: dict[int, list[str]] = defaultdict(list)
    links: Any = Example.tags.through.objects.filter(
        example__dataset=edit.dataset, example__deleted_at=None
    )
    for pk, name in links.order_by("tag__name").values_list("example", "tag__name"):
        names[pk].append(name)
    return {pk: "\n".join(each) for pk, each in names.items()}
