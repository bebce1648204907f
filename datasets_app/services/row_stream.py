"""The rows of a dataset on their way out: in order, and never all at once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from itertools import chain, islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import BinaryField, Q, QuerySet
from django.db.models.functions import Cast

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.models import Dataset, Example, Method

PIECE_ROWS = 2_000
FIRST_PIECE_ROWS = 100  # whoever looks at a few rows waits for no more than these
PIECE_BYTES = 8_000_000
FETCHED_ROWS = 100  # a row may be megabytes long
Rows = list[tuple[Any, ...]]


class InUtf8(Cast):
    """A text as the bytes that the database keeps, neither parsed nor decoded.

    PostgreSQL sends them as a text, which `database.undecoded` leaves as it is.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, BinaryField())

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"{sql}::text", params


# The columns hold canonical JSON already: they are copied as they are.
_TEXTS = ("messages", "tools", "functions", *OUTPUT_KEYS, "extra")
TEXT_COLUMNS = {f"{name}_text": InUtf8(name) for name in _TEXTS}


def line_columns(dataset: Dataset) -> tuple[str, ...]:
    """The columns that `line_of` takes, in its order."""
    outputs = (f"{key}_text" for key in OUTPUT_KEYS)
    columns = ("messages_text", "tools_text", "parallel_tool_calls", "functions_text")
    has_extra = dataset.method == Method.REINFORCEMENT
    return (*columns, *outputs, "extra_text") if has_extra else (*columns, *outputs)


def rows_of(
    examples: QuerySet[Example],
    *columns: str,
    after_piece: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Any, ...]]:
    """These columns of the examples, in the dataset's order.

    Each piece is a query of its own that goes on behind the last row, and is read whole
    before its first row is given: so a reader may be as slow as it likes, and holds
    neither a lock nor an old state of the database.
    """
    ordered = examples.order_by("position", "pk").annotate(**TEXT_COLUMNS)
    rows = ordered.values_list("position", "pk", *columns)
    limit = min(FIRST_PIECE_ROWS, PIECE_ROWS)
    piece, is_last = _read(rows, limit)
    while True:
        for row in piece:
            yield row[2:]
        after_piece()
        if is_last:
            return
        limit = min(2 * limit, PIECE_ROWS)
        piece, is_last = _read(rows.filter(_behind(*piece[-1][:2])), limit)


def _read(rows: QuerySet[Any, Any], limit: int) -> tuple[Rows, bool]:
    """The first rows, fewer where they are long; and are these the last ones?"""
    is_postgresql = connection.vendor == "postgresql"
    read = _read_from_postgresql if is_postgresql else _read_by_django
    found, are_all = read(rows[:limit])
    return found, are_all and len(found) < limit


def _read_by_django(rows: QuerySet[Any, Any]) -> tuple[Rows, bool]:
    with closing(rows.iterator(FETCHED_ROWS)) as fetched:  # type: ignore[type-var]
        return _while_short(lambda: list(islice(fetched, FETCHED_ROWS)))


def _read_from_postgresql(rows: QuerySet[Any, Any]) -> tuple[Rows, bool]:
    """Past Django, which would have every text decoded.

    In a transaction: outside of one, all that a cursor is to read is copied first.
    """
    undecoded = import_module("datasets_app.database.undecoded")
    try:
        query = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit, so there is nothing to ask
        return [], True
    with transaction.atomic(savepoint=False), connection.chunked_cursor() as cursor:
        undecoded.leave_texts_undecoded(cursor)
        cursor.execute(*query)
        return _while_short(lambda: cursor.fetchmany(FETCHED_ROWS))


def _while_short(fetch: Callable[[], Rows]) -> tuple[Rows, bool]:
    """What it fetches until that is long; and is it all there is?"""
    found: Rows = []
    n_bytes = 0
    while some := fetch():
        found += some
        n_bytes += sum(len(v) for v in chain(*some) if type(v) is bytes)
        if n_bytes > PIECE_BYTES:
            return found, False
    return found, True


def _behind(position: int, pk: int) -> Q:
    # The first half is the one that the database finds by its index.
    return Q(position__gte=position) & (Q(position__gt=position) | Q(pk__gt=pk))
