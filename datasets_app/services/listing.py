"""One page of the examples that a selection means, found without counting or skipping.

Rows are looked at in the order of an index, some at a time, until the page is full or
the time is up; then the page says how far it came, and the next one goes on from there.
A filter that fits few rows is answered from these rows alone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.db.models import Q, QuerySet

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.models import Dataset, Example
from datasets_app.services import candidates
from datasets_app.services.selection import SORTS, Selection

PER_PAGE = 50
MAX_SECONDS = 0.05
MOST_AT_ONCE = 2_000
# A page of these may be a gigabyte; `long_rows.previews_of` tells what is in them.
LONG_COLUMNS = ("messages", "text", "tools", "functions", "extra", *OUTPUT_KEYS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = re.compile(r"(?:([0-9]{1,18})-)?([0-9]{1,18})", re.ASCII)

GREATEST: "Key" = (10**18 - 1, 10**18 - 1)
LEAST: "Key" = (0, 0)
Key = tuple[int, int]  # what is sorted by, as a whole number, and the id


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows in their order, and the keys from which its neighbours go on ("": none).

    `n_found` is how many rows the selection means, None where nobody counted;
    `n_looked_at` how many rows were looked at for a page that is not full but not the
    last one either, else 0.
    """

    rows: list[Example]
    before: str = ""
    after: str = ""
    n_found: int | None = None
    n_looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list, seen in the direction in which it is walked."""

    column: str
    descending: bool

    @classmethod
    def of(cls, sort: str, backwards: bool) -> "Order":
        first = SORTS[sort][0]
        return cls(first.lstrip("-"), first.startswith("-") != backwards)

    @property
    def columns(self) -> tuple[str, ...]:
        sign = "-" if self.descending else ""
        names = ("id",) if self.column == "id" else (self.column, "id")
        return tuple(sign + name for name in names)

    def beyond(self, rows: QuerySet[Any], key: Key | None) -> QuerySet[Any]:
        if key is None:
            return rows
        if self.column == "id":
            return rows.filter(self._later(key))
        return rows.filter(self._ties(key) | self._later(key))

    def keys(self, rows: QuerySet[Any], key: Key | None, limit: int) -> list[Key]:
        """The keys of the next rows.

        In two steps, each a range of the index: asked for both at once, SQLite would
        walk all rows that have the same value.
        """
        if key is None or self.column == "id":
            return self._first(self.beyond(rows, key), limit)
        found = self._first(rows.filter(self._ties(key)), limit)
        if len(found) < limit:
            found += self._first(rows.filter(self._later(key)), limit - len(found))
        return found

    def _first(self, rows: QuerySet[Any], limit: int) -> list[Key]:
        found = rows.order_by(*self.columns).values_list(self.column, "id")[:limit]
        return [(_number(value), pk) for value, pk in found]

    def _ties(self, key: Key) -> Q:
        """Behind the key, with the same value."""
        return Q(**{self.column: self._value(key), f"id__{self._side}": key[1]})

    def _later(self, key: Key) -> Q:
        """With a value behind that of the key."""
        number = key[1] if self.column == "id" else self._value(key)
        return Q(**{f"{self.column}__{self._side}": number})

    def _value(self, key: Key) -> Any:
        return _time(key[0]) if self.column == "updated_at" else key[0]

    @property
    def _side(self) -> str:
        return "lt" if self.descending else "gt"

    def key_of(self, row: Example) -> Key:
        return _number(getattr(row, self.column)), row.pk


def list_examples(
    selection: Selection,
    dataset: Dataset,
    *,
    after: str = "",
    before: str = "",
    per_page: int = PER_PAGE,
) -> ListPage:
    """The page behind the key `after`, or in front of `before`, or the first one."""
    began = monotonic()
    key = read_key(before) or read_key(after)
    backwards = read_key(before) is not None
    order = Order.of(selection.sort, backwards)
    rows = Example.objects.filter(selection.conditions(), dataset=dataset)
    few = candidates.few(selection, dataset)
    if few is not None:
        rows = rows.filter(pk__among=few)
        walk = Walk(_first(order, order.beyond(rows, key), per_page + 1), None, 0)
        n_found: int | None = rows.count()
    else:
        walk = _walk(rows, selection, dataset, order, key, per_page + 1, began)
        n_found = candidates.known_count(selection, dataset)
    return _page(walk, order, key, backwards, per_page, n_found)


def neighbours(
    selection: Selection, dataset: Dataset, example: Example
) -> tuple[Example | None, Example | None]:
    """The examples before and behind one in the list, as far as they are near."""
    here = write_key(Order.of(selection.sort, backwards=False).key_of(example))
    before = list_examples(selection, dataset, before=here, per_page=1).rows
    after = list_examples(selection, dataset, after=here, per_page=1).rows
    return before[0] if before else None, after[0] if after else None


def end_key(sort: str) -> str:
    """In front of this key is the last page of a list in that order."""
    return write_key(LEAST if SORTS[sort][0].startswith("-") else GREATEST)


def key_before_position(dataset: Dataset, position: int) -> str:
    """The key behind which the row of this position, or the next one, comes, if any."""
    rows = Example.objects.filter(dataset=dataset, position__gte=position)
    first = rows.order_by("position", "id").values_list("pk", flat=True).first()
    return "" if first is None else write_key((first - 1, first - 1))


@dataclass(frozen=True, slots=True)
class Walk:
    """What looking through rows has brought; `stopped_at` is the last key, if early."""

    found: list[Example]
    stopped_at: Key | None
    n_looked_at: int


def _walk(
    rows: QuerySet[Example],
    selection: Selection,
    dataset: Dataset,
    order: Order,
    key: Key | None,
    n_wanted: int,
    began: float,
) -> Walk:
    """Look at more and more rows at once: most filters fill a page from the first."""
    walk_began, size = monotonic(), n_wanted
    found: list[int] = []
    n_looked_at = 0
    while True:
        keys = candidates.next_keys(selection, dataset, order, key, size)
        found += _fitting(rows, [pk for _value, pk in keys])
        n_looked_at += len(keys)
        if len(found) >= n_wanted or len(keys) < size:
            return Walk(_in_this_order(found[:n_wanted]), None, n_looked_at)
        key, left = keys[-1], began + MAX_SECONDS - monotonic()
        if left < 0:
            return Walk(_in_this_order(found), key, n_looked_at)
        in_time = int(n_looked_at * left / (monotonic() - walk_began))
        size = max(n_wanted, min(4 * size, MOST_AT_ONCE, in_time))


def _fitting(rows: QuerySet[Example], pks: list[int]) -> list[int]:
    """Those of them that are among the rows.

    Without an order: asked for the first ones in an order, a database may walk all rows
    in that order instead of looking at these few.
    """
    there = rows.filter(pk__among=pks).order_by().values_list("pk", flat=True)
    fitting = set(there)
    return [pk for pk in pks if pk in fitting]


def _in_this_order(pks: list[int]) -> list[Example]:
    rows = Example.objects.filter(pk__in=pks).order_by().defer(*LONG_COLUMNS)
    row_of = {row.pk: row for row in rows}
    return [row_of[pk] for pk in pks if pk in row_of]


def _first(order: Order, rows: QuerySet[Example], n: int) -> list[Example]:
    return list(rows.order_by(*order.columns).defer(*LONG_COLUMNS)[:n])


def _page(
    walk: Walk,
    order: Order,
    key: Key | None,
    backwards: bool,
    per_page: int,
    n_found: int | None,
) -> ListPage:
    shown = walk.found[:per_page]
    further = walk.stopped_at
    if len(walk.found) > per_page:
        further = order.key_of(shown[-1])
    # Whoever came from somewhere can go back there, unless it was an end.
    back = order.key_of(shown[0]) if shown and key else key
    if key in (LEAST, GREATEST):
        back = None
    ends = [write_key(back), write_key(further)]
    return ListPage(
        rows=shown[::-1] if backwards else shown,
        before=ends[backwards],
        after=ends[not backwards],
        n_found=n_found,
        n_looked_at=walk.n_looked_at if walk.stopped_at else 0,
    )


def read_key(text: str) -> Key | None:
    """A key as an address has it; None if it is none."""
    match = _KEY.fullmatch(text)
    return (int(match[1] or 0), int(match[2])) if match else None


def write_key(key: Key | None) -> str:
    return "" if key is None else f"{key[0]}-{key[1]}"


def _number(value: Any) -> int:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return int(value)


def _time(number: int) -> datetime:
    """The time of so many microseconds; of nonsense, some time."""
    return _EPOCH + timedelta(microseconds=min(number, 10**17))
