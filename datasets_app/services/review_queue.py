"""The review queue: rows that wait for a decision, one after the other.

They stand in lanes: in review before drafts, those given to the reviewer before others.
Within a lane the order is that of the keys, so the next row is found from where the
last one stood, whatever became of that; each lane has an index in this order.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

from django.db.models import Q, QuerySet

from datasets_app.models import Dataset, Example, ReviewState
from datasets_app.services.selection import Selection

MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands, or stood: the number of its lane, and its key."""

    lane: int = 0
    pk: int = 0

    @classmethod
    def of(cls, text: str) -> "Place":
        """From an address; what makes no sense is the beginning."""
        lane, _dot, pk = text.partition(".")
        known = lane.isdecimal() and pk.isdecimal() and len(pk) < 19 and len(lane) < 3
        return cls(int(lane), int(pk)) if known else cls()

    def __str__(self) -> str:
        return f"{self.lane}.{self.pk}"


@dataclass(frozen=True, slots=True)
class Queue:
    """What one reviewer is to look at."""

    dataset: Dataset
    selection: Selection
    reviewer: Any

    def lanes(self) -> list[QuerySet[Example]]:
        states = [ReviewState.IN_REVIEW, ReviewState.DRAFT]
        if self.selection.state:
            states = [ReviewState(self.selection.state)]
        rows = self.selection.examples(self.dataset)
        mine, others = Q(assignee=self.reviewer), ~Q(assignee=self.reviewer)
        return [
            rows.filter(whose, state=state)
            for state, whose in product(states, (mine, others))
        ]

    def next(self, place: Place) -> tuple[Place, Example] | None:
        """The first row behind a place."""
        for number, lane in enumerate(self.lanes()):
            if number >= place.lane:
                behind = lane.filter(pk__gt=place.pk) if number == place.lane else lane
                if row := _read(behind.order_by("pk")):
                    return Place(number, row.pk), row
        return None

    def previous(self, place: Place) -> tuple[Place, Example] | None:
        """The last row in front of a place."""
        lanes = list(enumerate(self.lanes()))
        for number, lane in reversed(lanes[: place.lane + 1]):
            before = lane.filter(pk__lt=place.pk) if number == place.lane else lane
            if row := _read(before.order_by("-pk")):
                return Place(number, row.pk), row
        return None

    def at(self, place: Place) -> tuple[Place, Example] | None:
        """The row that stands there, whatever was decided on it; else the next one."""
        rows = Example.objects.filter(dataset=self.dataset, pk=place.pk)
        row = _read(rows) if place.pk else None
        return (place, row) if row else self.next(place)

    def n_left(self) -> int:
        """How many rows wait; MOST_COUNTED + 1 stands for more than MOST_COUNTED."""
        n = 0
        for lane in self.lanes():
            rows = lane.order_by().values_list("pk")
            n += len(rows[: MOST_COUNTED + 1 - n])
            if n > MOST_COUNTED:
                break
        return n


def _read(rows: QuerySet[Example]) -> Example | None:
    related = ("dataset__team", "assignee", "updated_by", "content_by", "created_by")
    return rows.select_related(*related).defer("text").first()
