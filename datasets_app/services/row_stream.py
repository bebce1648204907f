"""The rows of a dataset on their way out: in order, and never all at once."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.models import Dataset, Example, Method

PIECE_ROWS = 2_000
FIRST_PIECE_ROWS = 100  # whoever looks at a few rows waits for no more than these
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

    Each piece is a query of its own that goes on behind the last row, so a reader may
    be as slow as it likes: it holds neither a lock nor an old state of the database.
    """
    ordered = examples.order_by("position", "pk").annotate(**TEXT_COLUMNS)
    rows = ordered.values_list("position", "pk", *columns)
    limit = min(FIRST_PIECE_ROWS, PIECE_ROWS)
    piece = rows[:limit]
    while True:
        n_rows = 0
        for row in piece.iterator(FETCHED_ROWS):
            yield row[2:]
            n_rows += 1
        after_piece()
        if n_rows < limit:
            return
        limit = min(2 * limit, PIECE_ROWS)
        piece = rows.filter(_behind(*row[:2]))[:limit]


def _behind(position: int, pk: int) -> Q:
    # The first half is the one that the database finds by its index.
    return Q(position__gte=position) & (Q(position__gt=position) | Q(pk__gt=pk))
