"""The tags' part of taking a bulk edit back."""

from collections import defaultdict
from typing import Any

from datasets_app.models import Dataset, Example, Tag

Links = Example.tags.through


def tags_to_undo(wanted: dict[int, dict[str, list[Any]]]) -> dict[int, Any]:
    """With [now, as it will be] for tags; without rows retagged since."""
    tagged = [pk for pk, changes in wanted.items() if "tags" in changes]
    current: dict[int, set[str]] = defaultdict(set)
    links = Links.objects.filter(example__in=tagged)
    for pk, name in links.values_list("example_id", "tag__name"):
        current[pk].add(name)
    todo = dict(wanted)
    for pk in tagged:
        after, before = map(set, wanted[pk]["tags"])
        if after - before <= current[pk] and not (before - after) & current[pk]:
            then = current[pk] - (after - before) | (before - after)
            todo[pk] = {**wanted[pk], "tags": [sorted(current[pk]), sorted(then)]}
        else:
            del todo[pk]
    return todo


def retag(dataset: Dataset, todo: dict[int, Any]) -> None:
    put: dict[str, list[int]] = defaultdict(list)
    take: dict[str, list[int]] = defaultdict(list)
    for pk, changes in todo.items():
        current, then = map(set, changes.get("tags", ([], [])))
        for name in then - current:
            put[name].append(pk)
        for name in current - then:
            take[name].append(pk)
    for name, pks in take.items():
        Links.objects.filter(
            tag__team=dataset.team_id, tag__name=name, example__in=pks
        ).delete()
    for name, pks in put.items():
        tag, _new = Tag.objects.get_or_create(team_id=dataset.team_id, name=name)
        Links.objects.bulk_create(
            [Links(example_id=pk, tag=tag) for pk in pks], batch_size=1_000
        )
