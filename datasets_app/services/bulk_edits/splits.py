"""Dividing a dataset anew into a training and a validation part."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example, Split
from datasets_app.services import runs
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import changes_of, record
from datasets_app.services.checks.features import refresh_features
from datasets_app.services.checks.near import refresh_groups
from datasets_app.services.errors import BadEdit
from datasets_app.splitting import Row, validation_rows

MOST_PERCENT = 50


class Resplit(Kind):
    """`params` holds the `percent` of the rows that go to validation.

    The selection is not looked at: a part of the rows cannot be divided fairly.
    """

    code = BulkKind.RESPLIT
    # Of the edit that was worked on last: every piece of it asks.
    _plan: tuple[Any, frozenset[int]] = (None, frozenset())

    def clean(self, edit: BulkEdit) -> None:
        percent = edit.params.get("percent")
        if type(percent) is not int or not 0 <= percent <= MOST_PERCENT:
            raise BadEdit(_("Keep between 0 and 50 percent for validation."))
        edit.params = {"percent": percent}

    def rows(self, edit: BulkEdit) -> QuerySet[Example]:
        return Example.objects.filter(dataset=edit.dataset)

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        chosen = self._chosen(edit).intersection(pks)
        to_validation = self._move(edit, chosen, Split.VALIDATION)
        return Outcome(to_validation + self._move(edit, {*pks} - chosen, Split.TRAIN))

    def _chosen(self, edit: BulkEdit) -> frozenset[int]:
        plan = self._plan  # another thread may put its own in between
        if plan[0] != edit.claim:
            plan = self._plan = (edit.claim, _choose(edit))
        return plan[1]

    def _move(self, edit: BulkEdit, pks: AbstractSet[int], split: Split) -> int:
        moving = Example.objects.filter(~Q(split=split), pk__in=pks)
        record(edit, moving, changes_of({"split": (F("split"), split.value)}))
        return moving.update(
            split=split, updated_at=now(), updated_by=edit.created_by_id
        )


def _choose(edit: BulkEdit) -> frozenset[int]:
    """The rows to validate on.

    A process that goes on with a killed edit chooses the same: where a row is by now
    does not matter, unless it is pinned.
    """
    refresh_features(edit.dataset, on_batch=lambda _read, _stale: runs.update(edit))
    refresh_groups(edit.dataset, on_part=lambda: runs.update(edit))
    return frozenset(validation_rows(_rows(edit), edit.params["percent"] / 100))


def _rows(edit: BulkEdit) -> Iterator[Row]:
    strata = _strata(edit)
    found = Example.objects.filter(dataset=edit.dataset).order_by()
    columns = ("pk", "content_hash", "split", "is_pinned", "features__near_group")
    for pk, digest, split, is_pinned, group in found.values_list(*columns).iterator():
        yield Row(
            pk=pk,
            key=int(digest[:16], 16),
            stratum=strata.get(pk, ""),
            group=group,
            pinned=split == Split.VALIDATION if is_pinned else None,
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
