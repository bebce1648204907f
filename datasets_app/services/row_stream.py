"""The rows of a dataset on their way out: in order, and never all at once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import chain, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.models import Dataset, Example, Method

PIECE_ROWS = 2_000
FIRST_PIECE_ROWS = 100  # whoever looks at a few rows waits for no more than these
PIECE_CHARACTERS = 8_000_000
FETCHED_ROWS = 100  # a row may be megabytes long

# The columns hold canonical JSON already, so they are copied, never parsed.
_TEXTS = ("messages", "tools", "functions", *OUTPUT_KEYS, "extra")
TEXT_COLUMNS = {f"{name}_text": Cast(name, TextField()) for name in _TEXTS}


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


def _read(rows: QuerySet[Any, Any], limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    """The first rows, fewer where they are long; and are these the last ones?"""
    found: list[tuple[Any, ...]] = []
    n_characters = 0
    with _cheap_cursors(), closing(rows[:limit].iterator(FETCHED_ROWS)) as fetched:  # type: ignore[type-var]
        while some := list(islice(fetched, FETCHED_ROWS)):
            found += some
            n_characters += sum(len(v) for v in chain(*some) if type(v) is str)
            if n_characters > PIECE_CHARACTERS:
                return found, False
    return found, len(found) < limit


def _cheap_cursors() -> AbstractContextManager[Any]:
    """Outside of a transaction PostgreSQL copies all that a cursor is to read first."""
    if connection.vendor == "postgresql":
        return transaction.atomic(savepoint=False)
    return nullcontext()


def _behind(position: int, pk: int) -> Q:
    # The first half is the one that the database finds by its index.
    return Q(position__gte=position) & (Q(position__gt=position) | Q(pk__gt=pk))
