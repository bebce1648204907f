"""What is wrong with a dataset as a whole: found by comparing its rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple

from django.db.models import Count

from datasets_app.chat_format import MINIMUM_ROWS
from datasets_app.models import Dataset, Example, ExampleFeatures, ReviewState, Split
from datasets_app.services.checks.keeping import Found, found, in_chunks

# gpt-4o and gpt-4.1 read this much of a row in training; see the provider's limits.
DEFAULT_CONTEXT_TOKENS = 65_536
MOST_OF_A_CODE = 100_000  # more rows with one finding would not be looked at


class Member(NamedTuple):
    key: str | int  # of the group: what its rows have in common
    pk: int
    split: str
    content: str  # what tells the rows of a group apart


def set_findings(dataset: Dataset) -> set[Found]:
    parts = (
        _too_few(dataset),
        _too_long(dataset),
        _exact(dataset),
        _near(dataset),
        _contradictions(dataset),
    )
    by_code: dict[str, int] = defaultdict(int)
    kept = set()
    for each in (each for part in parts for each in part):
        by_code[each.code] += 1
        if by_code[each.code] <= MOST_OF_A_CODE:
            kept.add(each)
    return kept


def context_tokens(dataset: Dataset) -> int:
    model = dataset.base_model
    return model.training_context_tokens if model else DEFAULT_CONTEXT_TOKENS


def _too_few(dataset: Dataset) -> Iterator[Found]:
    usable = Example.objects.filter(
        dataset=dataset, split=Split.TRAIN, is_valid=True
    ).exclude(state=ReviewState.REJECTED)
    n_rows = len(usable.order_by()[:MINIMUM_ROWS].values_list("pk"))
    if n_rows < MINIMUM_ROWS:
        yield found("too_few_rows", None, n=n_rows, minimum=MINIMUM_ROWS)


def _too_long(dataset: Dataset) -> Iterator[Found]:
    limit = context_tokens(dataset)
    longer = Example.objects.filter(dataset=dataset, n_tokens__gt=limit).order_by()
    for pk, n_tokens in islice(longer.values_list("pk", "n_tokens"), MOST_OF_A_CODE):
        yield found("too_long_for_model", pk, n=n_tokens, limit=limit)


def _exact(dataset: Dataset) -> Iterator[Found]:
    live = Example.objects.filter(dataset=dataset).order_by()
    repeated = live.values_list("content_hash").annotate(n=Count("pk"))
    hashes = [each for each, _n in repeated.filter(n__gt=1).iterator()]
    for chunk in in_chunks(hashes):
        same = live.filter(content_hash__in=chunk).exclude(state=ReviewState.REJECTED)
        rows = same.values_list("content_hash", "pk", "split", "content_hash")
        for group in _grouped(Member(*row) for row in rows):
            yield from _copies(group, "exact_duplicate", "overlap_exact")


def _near(dataset: Dataset) -> Iterator[Found]:
    """What is an exact duplicate is not reported as a near one as well."""
    alike = ExampleFeatures.objects.filter(
        dataset=dataset, near_group__isnull=False, example__deleted_at=None
    ).exclude(example__state=ReviewState.REJECTED)
    rows = alike.order_by("near_group", "pk").values_list(
        "near_group", "pk", "example__split", "example__content_hash"
    )
    members = (Member(row[0] or 0, *row[1:]) for row in rows.iterator())
    for _key, group in groupby(members, key=lambda member: member.key):
        yield from _copies(_first_of_each(group), "near_duplicate", "overlap_near")


def _first_of_each(group: Iterable[Member]) -> list[Member]:
    """One member of each content, a training row if there is one."""
    by_content: dict[str, Member] = {}
    for member in sorted(group, key=lambda m: (m.split != Split.TRAIN, m.pk)):
        by_content.setdefault(member.content, member)
    return sorted(by_content.values(), key=lambda m: m.pk)


def _copies(group: list[Member], code: str, overlap_code: str) -> Iterator[Found]:
    """Each row but the first of its split; validation rows that are trained on."""
    firsts: dict[str, int] = {}
    for member in group:
        firsts.setdefault(member.split, member.pk)
    for member in group:
        if member.split != Split.TRAIN and Split.TRAIN in firsts:
            yield found(overlap_code, member.pk, firsts[Split.TRAIN])
        elif member.pk != firsts[member.split]:
            yield found(code, member.pk, firsts[member.split])


def _contradictions(dataset: Dataset) -> Iterator[Found]:
    answered = ExampleFeatures.objects.filter(dataset=dataset).exclude(answer_hash="")
    asked = answered.order_by().values_list("prompt_hash")
    several = asked.annotate(n=Count("answer_hash", distinct=True)).filter(n__gt=1)
    hashes = [each for each, _n in several.iterator()]
    for chunk in in_chunks(hashes):
        rows = answered.filter(prompt_hash__in=chunk, example__deleted_at=None).exclude(
            example__state=ReviewState.REJECTED
        )
        columns = ("prompt_hash", "pk", "example__split", "answer_hash")
        for group in _grouped(Member(*row) for row in rows.values_list(*columns)):
            yield from _different(group)


def _different(group: list[Member]) -> Iterator[Found]:
    """Each row with the first one that answers otherwise."""
    firsts: dict[str, int] = {}
    for member in group:
        firsts.setdefault(member.content, member.pk)
    if len(firsts) < 2:
        return
    (first, first_pk), (_second, second_pk), *_more = firsts.items()
    for member in group:
        other = second_pk if member.content == first else first_pk
        yield found("contradiction", member.pk, other, n=len(firsts))


def _grouped(members: Iterable[Member]) -> Iterator[list[Member]]:
    groups: dict[str | int, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda member: member.pk):
        groups[member.key].append(member)
    yield from groups.values()
