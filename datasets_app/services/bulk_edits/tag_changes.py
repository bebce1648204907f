"""Tags of many rows: what they are, and how they change."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from datasets_app.models import Dataset, Example, Tag
from datasets_app.services.bulk_edits.recording import Changes
from datasets_app.services.inserting import insert_rows

Links = Example.tags.through
Names = frozenset[str]


def tags_of(pks: Collection[int]) -> dict[int, Names]:
    """The names of each row's tags."""
    found: dict[int, list[str]] = {pk: [] for pk in pks}
    links = Links.objects.filter(example__among=pks).order_by()
    for pk, name in links.values_list("example_id", "tag__name").iterator():
        found[pk].append(name)
    return {pk: frozenset(names) for pk, names in found.items()}


def tag_changes(
    tags: Mapping[int, Names], change: Callable[[Names], Names]
) -> dict[int, Changes]:
    """Of the rows whose tags change by it."""
    known: dict[Names, Changes | None] = {}
    found: dict[int, Changes] = {}
    for pk, names in tags.items():
        if names not in known:
            known[names] = _change_of(names, change(names))
        if changes := known[names]:
            found[pk] = changes
    return found


def _change_of(before: Names, after: Names) -> Changes | None:
    return {"tags": [sorted(before), sorted(after)]} if before != after else None


def retag(dataset: Dataset, changes: Mapping[int, Changes]) -> None:
    """Put tags on rows and take others off, as the changes say."""
    put: dict[str, list[int]] = defaultdict(list)
    take: dict[str, list[int]] = defaultdict(list)
    for each, pks in _alike(changes):
        before, after = map(set, each["tags"])
        for name in after - before:
            put[name] += pks
        for name in before - after:
            take[name] += pks
    for name, pks in take.items():
        tags = Tag.objects.filter(team=dataset.team_id, name=name)
        Links.objects.filter(tag__in=tags, example__among=pks).delete()
    for name, pks in put.items():
        tag, _new = Tag.objects.get_or_create(team_id=dataset.team_id, name=name)
        insert_rows(Links, ("example", "tag"), ((pk, tag.pk) for pk in pks))


def _alike(changes: Mapping[int, Changes]) -> list[tuple[Changes, list[int]]]:
    """The rows whose tags change, by the object that says how."""
    found: dict[int, tuple[Changes, list[int]]] = {}
    for pk, each in changes.items():
        if "tags" in each:
            found.setdefault(id(each), (each, []))[1].append(pk)
    return [*found.values()]


def tags_to_undo(wanted: Mapping[int, Changes]) -> dict[int, Changes]:
    """With [now, as it will be] for tags; without rows retagged since."""
    current = tags_of([pk for pk, changes in wanted.items() if "tags" in changes])
    known: dict[tuple[int, Names], Changes | None] = {}
    todo: dict[int, Changes] = {}
    for pk, changes in wanted.items():
        key = id(changes), current.get(pk, frozenset())
        if key not in known:
            known[key] = _with_tags(changes, key[1])
        if found := known[key]:
            todo[pk] = found
    return todo


def _with_tags(changes: Changes, current: Names) -> Any:
    """What is left to do of a row with these tags; None if it was retagged since."""
    if "tags" not in changes:
        return changes
    after, before = map(frozenset, changes["tags"])
    put_on, taken_off = after - before, before - after
    if not put_on <= current or taken_off & current:
        return None
    then = current - put_on | taken_off
    return {**changes, "tags": [sorted(current), sorted(then)]}
