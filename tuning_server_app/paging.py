"""Cursor paging as OpenAI's lists do it: `after` names the last row already seen."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from tuning_server_app.errors import invalid

MAX_LIMIT = 1000


def read_limit(query: QueryDict, *, default: int, largest: int = MAX_LIMIT) -> int:
    """How many rows the client asks for: 0 is allowed, more than `largest` is cut.

    Raises:
        ApiError: not a whole number from 0 up.
    """
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdigit()):
        raise invalid(
            f"limit must be a whole number from 0 to {largest}, not '{text}'.",
            param="limit",
        )
    # Nine digits are more than any list has, and int() stays quick.
    return min(int(text[:9]), largest)


def read_order(query: QueryDict, orders: dict[str, bool], *, default: str) -> bool:
    """Whether the newest row comes first.

    Args:
        orders: what the client may say, and what it means.
    Raises:
        ApiError: it said something else.
    """
    order = query.get("order", default)
    if order not in orders:
        words = " or ".join(orders)
        raise invalid(f"order must be {words}, not '{order}'.", param="order")
    return orders[order]


def cut_page(
    rows: QuerySet[Any, Any], *, after: str | None, limit: int, newest_first: bool
) -> tuple[Sequence[Any], bool]:
    """The rows that follow `after`, and whether there are more behind them.

    A cursor that names no row gives an empty page: beginning anew would make a client
    that walks the list go round for ever.
    """
    rows = rows.order_by("-pk" if newest_first else "pk")
    if after:
        seen = rows.filter(wire_id=after).values_list("pk", flat=True).first()
        if seen is None:
            return [], False
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": seen})
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def cut_list(
    rows: list[dict[str, Any]], *, after: str | None, limit: int, newest_first: bool
) -> tuple[list[dict[str, Any]], bool]:
    """The same of rows that have their ids in themselves, the oldest first."""
    if newest_first:
        rows = rows[::-1]
    if after:
        ids = [row["id"] for row in rows]
        rows = rows[ids.index(after) + 1 :] if after in ids else []
    return rows[:limit], len(rows) > limit
