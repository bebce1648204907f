"""The tags that the rows of a table bring along."""

from collections.abc import Iterable, Mapping

from datasets_app.database.bulk import texts_in
from datasets_app.formats import TABLES, tags_of
from datasets_app.jsonl import BadLine, Line
from datasets_app.models import Dataset, Example, ImportRun, Tag
from datasets_app.services.inserting import insert_rows

MOST_TEAM_TAGS = 1_000  # people look through them in a list of boxes
Links = Example.tags.through


class TagReader:
    """Reads tags of rows, and notices where they would become too many for a team."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        self.has_tags = run.format in TABLES
        self.known: set[str] = _names(run) if self.has_tags else set()

    def read(self, line: Line) -> tuple[str, ...]:
        """Raises BadLine. Asks no database: a thread may call it."""
        if not self.has_tags:
            return ()
        tags = tags_of(line, self.run.format, self.run.mapping)
        if not self.known.issuperset(tags):
            known = self.known.union(tags)
            if len(known) > MOST_TEAM_TAGS:
                raise BadLine("too_many_team_tags", limit=MOST_TEAM_TAGS)
            self.known = known
        return tuple(tags)


def _names(run: ImportRun) -> set[str]:
    tags = Tag.objects.filter(team=run.dataset.team_id)
    return set(tags.values_list("name", flat=True))


def put_tags(dataset: Dataset, tags_at: dict[int, tuple[str, ...]]) -> None:
    """Give rows that were just added their tags.

    Args:
        tags_at: the tags of the rows by their positions.
    """
    tags_at = {at: tags for at, tags in tags_at.items() if tags}
    if not tags_at:
        return
    rows = dataset.examples.filter(position__range=(min(tags_at), max(tags_at)))
    found = dict(rows.order_by().values_list("position", "pk"))
    link_tags(dataset, {found[at]: tags for at, tags in tags_at.items()})


def link_tags(dataset: Dataset, names_of: Mapping[int, Iterable[str]]) -> None:
    """Put tags on rows, by their keys, that do not have them yet."""
    pk_of = _tag_pks(dataset, {name for names in names_of.values() for name in names})
    links = [(pk, pk_of[name]) for pk, names in names_of.items() for name in names]
    insert_rows(Links, ("example", "tag"), links)


def _tag_pks(dataset: Dataset, names: set[str]) -> dict[str, int]:
    tags = [Tag(team_id=dataset.team_id, name=name) for name in names]
    Tag.objects.bulk_create(tags, ignore_conflicts=True)
    found = Tag.objects.filter(team=dataset.team_id, name__in=texts_in(names))
    return dict(found.values_list("name", "pk"))


def add_tags(
    dataset: Dataset, wanted: dict[int, tuple[str, ...]]
) -> dict[int, list[list[str]]]:
    """Put tags on rows that may have some; tags are only added.

    Returns [before, after] of each row that has more of them now.
    """
    links = Links.objects.filter(example__among=wanted)
    before: dict[int, set[str]] = {pk: set() for pk in wanted}
    for pk, name in links.values_list("example_id", "tag__name"):
        before[pk].add(name)
    more = {pk: set(wanted[pk]) - before[pk] for pk in wanted}
    link_tags(dataset, more)
    return {
        pk: [sorted(before[pk]), sorted(before[pk] | names)]
        for pk, names in more.items()
        if names
    }
