"""Storing what was found, and how much of it each example has."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count

from datasets_app import exact_json
from datasets_app.checks.codes import SET_CODES, severity_of
from datasets_app.models import Dataset, Example, Finding
from datasets_app.services.inserting import insert_rows

AT_ONCE = 500


class Found(NamedTuple):
    """A finding before it is stored; `params` is JSON."""

    code: str
    example_id: int | None
    other_id: int | None = None
    message_index: int | None = None
    params: str = "{}"


def found(
    code: str,
    example_id: int | None,
    other_id: int | None = None,
    message_index: int | None = None,
    **params: Any,
) -> Found:
    return Found(
        code, example_id, other_id, message_index, str(exact_json.dumps(params))
    )


def in_chunks(values: Sequence[Any], size: int = AT_ONCE) -> Iterator[list[Any]]:
    for start in range(0, len(values), size):
        yield list(values[start : start + size])


def replace_row_findings(
    dataset: Dataset, pks: Iterable[int], new: Iterable[Found]
) -> None:
    """What these rows have by themselves is now `new`; inside a transaction."""
    pks = list(pks)
    Finding.objects.filter(example__in=pks).exclude(code__in=SET_CODES).delete()
    _insert(dataset, list(new))


def replace_set_findings(dataset: Dataset, wanted: set[Found]) -> None:
    """What the dataset as a whole has is now `wanted`; only differences are written."""
    stored = Finding.objects.filter(dataset=dataset, code__in=SET_CODES).order_by()
    gone: list[int] = []
    missing = set(wanted)
    columns = ("code", "example_id", "other_id", "message_index", "params")
    for row in stored.values_list(*columns, "pk").iterator():
        code, example, other, message_index, params, pk = row
        was = Found(code, example, other, message_index, exact_json.dumps(params))
        if was in missing:
            missing.remove(was)
        else:
            gone.append(pk)
    for chunk in in_chunks(gone):
        Finding.objects.filter(pk__in=chunk).delete()
    for new in in_chunks(sorted(missing, key=lambda each: each.example_id or 0)):
        _insert_if_there(dataset, new)


def _insert_if_there(dataset: Dataset, new: list[Found]) -> None:
    named = {each.example_id for each in new} | {each.other_id for each in new}
    with transaction.atomic():
        gone = named - lock_examples(pk for pk in named if pk) - {None}
        _insert(
            dataset,
            [e for e in new if e.example_id not in gone and e.other_id not in gone],
        )


def lock_examples(pks: Iterable[int]) -> set[int]:
    """Those of the rows that exist; they do until the transaction ends."""
    kept = Example.objects.select_for_update().filter(pk__in=list(pks)).order_by("pk")
    return set(kept.values_list("pk", flat=True))


def _insert(dataset: Dataset, new: list[Found]) -> None:
    fields = ("code", "example", "other", "message_index", "params")
    insert_rows(
        Finding,
        ("dataset", "severity", *fields),
        ((dataset.pk, severity_of(each.code), *each) for each in new),
    )


def recount(dataset: Dataset) -> None:
    """Keep on each example how many findings it has."""
    found = Finding.objects.filter(dataset=dataset).order_by()
    by_example = found.values_list("example").annotate(n=Count("pk"))
    counts = {pk: min(n, 32_000) for pk, n in by_example.iterator() if pk}
    counted = Example.objects.filter(dataset=dataset, n_findings__gt=0).order_by()
    kept = dict(counted.values_list("pk", "n_findings").iterator())
    changed: dict[int, list[int]] = {}
    for pk in counts.keys() | kept.keys():
        if (n_findings := counts.get(pk, 0)) != kept.get(pk, 0):
            changed.setdefault(n_findings, []).append(pk)
    for n_findings, pks in changed.items():
        for chunk in in_chunks(pks):
            Example.objects.filter(pk__in=chunk).update(n_findings=n_findings)
