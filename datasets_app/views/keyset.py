"""Pages that are found by the key of a row, so that no page counts or skips rows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """Some rows in the order of their keys; the keys that its neighbours begin from."""

    rows: list[Any]
    before: int | None
    after: int | None


def keyset_page(rows: QuerySet[Any], query: QueryDict, per_page: int) -> KeysetPage:
    """The page that `?after=KEY` or `?before=KEY` asks for, or the first one."""
    if before := _key(query.get("before")):
        found = list(rows.filter(pk__lt=before).order_by("-pk")[: per_page + 1])
        has_more = len(found) > per_page
        return _page(found[:per_page][::-1], has_more, has_after=True)
    after = _key(query.get("after"))
    found = list(rows.filter(pk__gt=after).order_by("pk")[: per_page + 1])
    return _page(found[:per_page], bool(after), has_after=len(found) > per_page)


def _page(rows: list[Any], has_before: bool, has_after: bool) -> KeysetPage:
    return KeysetPage(
        rows=rows,
        before=rows[0].pk if rows and has_before else None,
        after=rows[-1].pk if rows and has_after else None,
    )


def _key(text: str | None) -> int:
    is_key = text is not None and text.isdecimal() and len(text) < 19
    return int(text or 0) if is_key else 0
