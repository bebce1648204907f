"""Which rows can fit a selection at all, from the index that says it soonest."""

from collections.abc import Iterable
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import QuerySet, Sum

from datasets_app.database import text_index
from datasets_app.grams import query_grams
from datasets_app.models import (
    Comment,
    Dataset,
    Example,
    ExampleCount,
    Finding,
    UnindexedText,
    VersionRow,
)
from datasets_app.services.selection import ANY, NONE, Selection

if TYPE_CHECKING:
    from datasets_app.services.listing import Key, Order

FEW = 1_000
MAX_TOKENS = 2**31 - 1
COUNTED = {"state", "split", "problem"}


def few(selection: Selection, dataset: Dataset) -> list[int] | None:
    """The ids of all rows that can fit, if one of the filters fits at most FEW."""
    if selection.pks:
        return list(selection.pks)
    if pieces := query_grams(selection.words):
        found = set(_with_pieces(dataset, pieces, None, False, FEW + 1))
        if len(found) <= FEW:
            return list(found)
    for ids in _narrow_filters(selection, dataset):
        found = set(ids[: FEW + 1])
        if len(found) <= FEW:
            return list(found)
    return None


def _narrow_filters(s: Selection, dataset: Dataset) -> Iterable[QuerySet[Any]]:
    """Ids by each filter that an index answers however few rows it fits."""
    live = Example.objects.filter(dataset=dataset).order_by()
    live = live.values_list("pk", flat=True)
    if s.tag:
        yield _tagged(s, dataset).values_list("example", flat=True)
    if s.finding and s.finding != ANY:
        yield _with_finding(s, dataset).values_list("example", flat=True).distinct()
    if s.import_run:
        yield live.filter(import_run=int(s.import_run))
    if s.version:
        rows = VersionRow.objects.filter(version=int(s.version), example__isnull=False)
        yield rows.order_by().values_list("example", flat=True)
    if s.comments == ANY:
        written = Comment.objects.filter(example__dataset=dataset).order_by()
        yield written.values_list("example", flat=True).distinct()
    if s.assignee:
        yield live.filter(assignee=int(s.assignee))
    if s.state:
        yield live.filter(state=s.state)
    # In their order: else SQLite may look for these few in another index of all rows.
    if s.problem and s.problem != NONE:
        yield live.filter(is_valid=False).order_by("pk")
    if s.finding == ANY:
        yield live.filter(n_findings__gt=0).order_by("pk")
    if s.min_tokens or s.max_tokens:
        least, most = int(s.min_tokens or 0), int(s.max_tokens or MAX_TOKENS)
        yield live.filter(n_tokens__gte=least, n_tokens__lte=most)


def _tagged(s: Selection, dataset: Dataset) -> QuerySet[Any]:
    links = Example.tags.through.objects
    return links.filter(tag__name=s.tag, tag__team=dataset.team_id).order_by()


def _with_finding(s: Selection, dataset: Dataset) -> QuerySet[Any]:
    found = Finding.objects.filter(dataset=dataset, code=s.finding)
    return found.filter(example__isnull=False).order_by()


def next_keys(
    s: Selection, dataset: Dataset, order: "Order", key: "Key | None", limit: int
) -> list["Key"]:
    """Keys of the next rows to look at: beyond `key`, in the order, at most `limit`.

    In the order of ids, an index of one of the filters is walked; in any other order,
    the index of that order.
    """
    live = Example.objects.filter(dataset=dataset)
    if order.column != "id":
        return order.keys(live, key, limit)
    beyond = key and key[1]
    if pieces := query_grams(s.words):
        ids = _with_pieces(dataset, pieces, beyond, order.descending, limit)
        return [(pk, pk) for pk in ids]
    if s.finding and s.finding != ANY:
        found = _with_finding(s, dataset)
        return _example_keys(found.distinct(), beyond, order, limit)
    if s.tag:
        return _example_keys(_tagged(s, dataset), beyond, order, limit)
    return order.keys(_in_order_of_ids(s, live), key, limit)


def _in_order_of_ids(s: Selection, live: QuerySet[Example]) -> QuerySet[Example]:
    """Narrowed by a filter that has an index in the order of ids."""
    if s.import_run:
        return live.filter(import_run=int(s.import_run))
    if s.problem and s.problem != NONE:
        return live.filter(is_valid=False)
    if s.finding == ANY:
        return live.filter(n_findings__gt=0)
    return live.filter(state=s.state) if s.state else live


def _example_keys(
    rows: QuerySet[Any], beyond: int | None, order: "Order", limit: int
) -> list["Key"]:
    if beyond is not None:
        side = "lt" if order.descending else "gt"
        rows = rows.filter(**{f"example_id__{side}": beyond})
    rows = rows.order_by("-example_id" if order.descending else "example_id")
    return [(pk, pk) for pk in rows.values_list("example_id", flat=True)[:limit]]


def _with_pieces(
    dataset: Dataset,
    pieces: list[str],
    beyond: int | None,
    backwards: bool,
    limit: int,
) -> list[int]:
    """Ids from the text index, and of texts that wait for it, in their order."""
    learnt = text_index.find(
        connection,
        dataset.pk,
        pieces,
        beyond=beyond,
        backwards=backwards,
        limit=limit,
    )
    waiting = UnindexedText.objects.filter(dataset=dataset)
    if beyond is not None:
        side = "lt" if backwards else "gt"
        waiting = waiting.filter(**{f"example_pk__{side}": beyond})
    waiting = waiting.order_by("-example_pk" if backwards else "example_pk")
    new = waiting.values_list("example_pk", flat=True).distinct()[:limit]
    both = merge(learnt, new, reverse=backwards)
    return list(islice(dict.fromkeys(both), limit))


def known_count(selection: Selection, dataset: Dataset) -> int | None:
    """How many rows fit, where the counters know it; else None."""
    filters = selection.filters
    if filters - COUNTED or selection.problem not in ("", ANY, NONE):
        return None
    counts = ExampleCount.objects.filter(dataset=dataset)
    if selection.state:
        counts = counts.filter(state=selection.state)
    if selection.split:
        counts = counts.filter(split=selection.split)
    if selection.problem:
        counts = counts.filter(is_valid=selection.problem == NONE)
    return counts.aggregate(n=Sum("n_examples"))["n"] or 0
