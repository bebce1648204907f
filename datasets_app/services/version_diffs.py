"""What differs between two versions of a dataset, told by their manifests.

A row is the same one in both if it is the same example. Versions may have a million
rows, so a question is about LINES_AT_ONCE lines of one part at most.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from datasets_app.models import DatasetVersion, Split, VersionRow

LINES_AT_ONCE = 100_000
MAX_LINE_BYTES = 1_000_000  # as it is shown

CHANGED, ADDED, REMOVED, MOVED = KINDS = ("changed", "added", "removed", "moved")
# `here` is a row of one version, `there` the same example's row of the other one.
_CONDITIONS = {
    CHANGED: "there.content_hash <> here.content_hash",
    ADDED: "there.id IS NULL",
    REMOVED: "there.id IS NULL",
    MOVED: "there.content_hash = here.content_hash AND there.split <> here.split",
}
_TABLE = VersionRow._meta.db_table
_LINES = (
    f"FROM {_TABLE} here LEFT JOIN {_TABLE} there"  # noqa: S608
    " ON there.version_id = %s AND there.example_id = here.example_id"
    " WHERE here.version_id = %s AND here.split = %s"
    " AND here.line_number BETWEEN %s AND %s"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a version's file."""

    split: str
    line_number: int
    offset: int


@dataclass(frozen=True, slots=True)
class Difference:
    """`old` is None of a row that was added, `new` of one that was removed."""

    example_id: int | None
    old: Place | None
    new: Place | None


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines `first` to `last` of one part."""

    split: str
    first: int
    last: int

    @classmethod
    def around(cls, split: str, line_number: int) -> "Lines":
        """The lines that are looked at together with this one."""
        start = (line_number - 1) // LINES_AT_ONCE * LINES_AT_ONCE
        return cls(split, start + 1, start + LINES_AT_ONCE)


def count_differences(
    old: DatasetVersion, new: DatasetVersion, lines: Lines
) -> dict[str, int]:
    """How many rows of these lines differ, by kind."""
    of_new = (CHANGED, ADDED, MOVED)
    return {
        **dict(zip(of_new, _count(new, old, lines, of_new), strict=True)),
        REMOVED: _count(old, new, lines, (REMOVED,))[0],
    }


def _count(
    here: DatasetVersion, there: DatasetVersion, lines: Lines, kinds: tuple[str, ...]
) -> tuple[int, ...]:
    sums = [f"SUM(CASE WHEN {_CONDITIONS[kind]} THEN 1 ELSE 0 END)" for kind in kinds]
    ((*found,),) = _ask(f"SELECT {', '.join(sums)} {_LINES}", here, there, lines)
    return tuple(n or 0 for n in found)


def find_differences(
    old: DatasetVersion, new: DatasetVersion, kind: str, lines: Lines, limit: int
) -> list[Difference]:
    """The first rows of these lines that differ so. Removed ones are lines of `old`."""
    here, there = (old, new) if kind == REMOVED else (new, old)
    columns = ", ".join(
        f"{side}.{name}"
        for side in ("here", "there")
        for name in ("split", "line_number", connection.ops.quote_name("offset"))
    )
    sql = (
        f"SELECT here.example_id, {columns} {_LINES} AND {_CONDITIONS[kind]}"  # noqa: S608
        " ORDER BY here.line_number LIMIT %s"
    )
    return [
        _difference(kind, pk, Place(*places[:3]), places[3:])
        for pk, *places in _ask(sql, here, there, lines, limit)
    ]


def _difference(kind: str, pk: int, here: Place, there: list[Any]) -> Difference:
    if kind == REMOVED:
        return Difference(pk, old=here, new=None)
    return Difference(pk, None if kind == ADDED else Place(*there), new=here)


def _ask(
    sql: str, here: DatasetVersion, there: DatasetVersion, lines: Lines, *more: int
) -> list[Any]:
    span = (str(lines.split), lines.first, lines.last)
    with connection.cursor() as cursor:
        cursor.execute(sql, [there.pk, here.pk, *span, *more])
        return list(cursor.fetchall())


def read_line(version: DatasetVersion, place: Place) -> bytes | None:
    """The line as it was frozen; None if it is too long to be read by a person."""
    with version.file_of(place.split).open("rb") as file:
        file.seek(place.offset)
        line = bytes(file.readline(MAX_LINE_BYTES + 1))
    return line.rstrip(b"\n") if len(line) <= MAX_LINE_BYTES else None


def n_lines_of(version: DatasetVersion, split: str) -> int:
    is_train = split == Split.TRAIN
    return version.n_training_rows if is_train else version.n_validation_rows
