"""Reading a provider's lists, which may be long, odd, or endless."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import BaseModel

from jobs_app.providers.wire import RemoteJob, Unintelligible, fields_of

MAX_LISTED = 10_000  # a provider that lists without end is left there
ENOUGH_OLD_JOBS = 100


def listed(pages: Any) -> Iterator[Any]:
    """The items of all pages, each once, until a page brings no new one.

    A server that ignores `after` but says has_more would be read for ever. One that
    lists an item twice is read on: what we look for may stand behind it.
    """
    if not isinstance(pages, BaseModel):
        raise Unintelligible("no list")  # a web page, say, which the SDK hands on
    seen: set[Any] = set()
    left = MAX_LISTED
    for page in pages.iter_pages():  # type: ignore[attr-defined]
        items = list(islice(page.data or (), left))
        left -= len(items)
        if not (new := _new(items, seen)):
            return
        yield from new


def _new(items: Iterable[Any], seen: set[Any]) -> list[Any]:
    """Those of an id that was not seen yet, and those without any."""
    new = []
    for item in items:
        item_id = fields_of(item).get("id")
        if item_id not in seen:
            new.append(item)
        if item_id is not None:
            seen.add(item_id)
    return new


def newest_first_until(
    moment: datetime, jobs: Iterable[RemoteJob]
) -> Iterator[RemoteJob]:
    """The jobs back to `moment` and ENOUGH_OLD_JOBS older ones.

    A list that turns out not to be newest first is read to its end.
    """
    last: datetime | None = None
    is_newest_first, n_old = True, 0
    for job in jobs:
        yield job
        if job.created_at is None:
            continue
        if last is not None and job.created_at > last:
            is_newest_first = False
        last = job.created_at
        n_old = n_old + 1 if job.created_at < moment else 0
        if is_newest_first and n_old >= ENOUGH_OLD_JOBS:
            return
