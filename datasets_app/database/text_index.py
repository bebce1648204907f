"""The index of all texts: SQLite's full text search, or arrays under PostgreSQL's GIN.

It maps an example's id to the pieces of its text (`datasets_app.grams`) and one for its
dataset. An id may be written again: then old pieces may still lead to it, and ids of
deleted examples stay. So what it finds may hold too much, but never too little.
"""

# ruff: noqa: S608  (the texts are put together of names that stand here)

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from zlib import crc32

from datasets_app.grams import grams

TABLE = "datasets_app_textindex"
QUEUE = "datasets_app_unindexedtext"
STRETCH = 4096  # ids
MOST_STRETCHES = 16  # at once: the time goes with their number, squared
NAMES = ("example_text_added", "example_text_changed")
_ADDED, _CHANGED = NAMES

SQLITE_TABLES = (
    f"""
    CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5(
        grams, content='', columnsize=0, detail='none', tokenize='ascii')
    """,
)
SQLITE = (
    f"""
    CREATE TRIGGER {_ADDED} AFTER INSERT ON datasets_app_example BEGIN
        INSERT INTO {QUEUE} (example_pk, dataset_id) VALUES (NEW.id, NEW.dataset_id);
    END
    """,
    f"""
    CREATE TRIGGER {_CHANGED} AFTER UPDATE OF text, dataset_id ON datasets_app_example
    WHEN (OLD.text, OLD.dataset_id) <> (NEW.text, NEW.dataset_id) BEGIN
        INSERT INTO {QUEUE} (example_pk, dataset_id) VALUES (NEW.id, NEW.dataset_id);
    END
    """,
)

POSTGRESQL_TABLES = (
    f"""
    CREATE TABLE IF NOT EXISTS {TABLE} (
        example_id bigint PRIMARY KEY, grams integer[] NOT NULL)
    """,
    f"CREATE INDEX IF NOT EXISTS {TABLE}_grams ON {TABLE} USING gin (grams)",
)
POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION datasets_app_note_texts() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO {QUEUE} (example_pk, dataset_id)
        SELECT id, dataset_id FROM new_rows;
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION datasets_app_note_text() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO {QUEUE} (example_pk, dataset_id) VALUES (NEW.id, NEW.dataset_id);
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER {_ADDED} AFTER INSERT ON datasets_app_example
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION datasets_app_note_texts()
    """,
    # For each row: so a statement that sets no text, such as a bulk edit of tags or
    # states, unpacks and compares none.
    f"""
    CREATE TRIGGER {_CHANGED} AFTER UPDATE OF text, dataset_id ON datasets_app_example
    FOR EACH ROW WHEN ((OLD.text, OLD.dataset_id) <> (NEW.text, NEW.dataset_id))
    EXECUTE FUNCTION datasets_app_note_text()
    """,
)
FORGET_ALL = {
    "sqlite": f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')",
    "postgresql": f"TRUNCATE {TABLE}",
}
NOTE_ALL = (
    f"INSERT INTO {QUEUE} (example_pk, dataset_id)"
    " SELECT id, dataset_id FROM datasets_app_example"
)


def create(connection: Any) -> None:
    """The index, unless it is there; a new one has everything to learn."""
    is_postgresql = connection.vendor == "postgresql"
    is_new = TABLE not in connection.introspection.table_names()
    with connection.cursor() as cursor:
        for sql in POSTGRESQL_TABLES if is_postgresql else SQLITE_TABLES:
            cursor.execute(sql)
        if is_new:
            cursor.execute(NOTE_ALL)


def learn_anew(connection: Any) -> None:
    """Empty the index and note every text, inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_ALL[connection.vendor])
        cursor.execute(f"DELETE FROM {QUEUE}")
        cursor.execute(NOTE_ALL)


def pieces_of(dataset_id: int, text: str) -> set[str]:
    return grams(text) | {_dataset(dataset_id)}


def write(connection: Any, pieces: dict[int, set[str]]) -> None:
    """Learn the pieces of examples, by their ids."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = [_array({*each, _stretch(pk)}) for pk, each in pieces.items()]
            cursor.execute(
                f"INSERT INTO {TABLE} SELECT pk, numbers::int[]"
                " FROM unnest(%s::bigint[], %s::text[]) AS learnt (pk, numbers)"
                " ON CONFLICT (example_id) DO UPDATE SET grams = EXCLUDED.grams",
                [list(pieces), arrays],
            )
        else:
            cursor.executemany(
                f"INSERT INTO {TABLE} (rowid, grams) VALUES (%s, %s)",
                [(pk, " ".join(found)) for pk, found in pieces.items()],
            )


def subquery(vendor: str, dataset_id: int, pieces: list[str]) -> tuple[str, list[Any]]:
    """SQL for the ids of examples that may have all of the pieces, and its values."""
    wanted = [*pieces, _dataset(dataset_id)]
    if vendor == "postgresql":
        sql = f"SELECT example_id AS id FROM {TABLE} WHERE grams @> %s::int[]"
        return sql, [_array(wanted)]
    sql = f"SELECT rowid AS id FROM {TABLE} WHERE {TABLE} MATCH %s"
    return sql, [" AND ".join(f'"{piece}"' for piece in wanted)]


def find(
    connection: Any,
    dataset_id: int,
    pieces: list[str],
    *,
    beyond: int | None = None,
    backwards: bool = False,
    limit: int,
) -> list[int]:
    """The first ids, by size, of those that come after the id `beyond`."""
    order, side = ("DESC", "<") if backwards else ("ASC", ">")
    asked = "" if beyond is None else "AND {} " + side + " %s"
    bound = [] if beyond is None else [beyond]
    if connection.vendor == "sqlite":
        sql, values = subquery("sqlite", dataset_id, pieces)
        sql += f" {asked.format('rowid')} ORDER BY rowid {order} LIMIT %s"
        return _ids(connection, sql, [*values, *bound, limit])
    wanted = _array([*pieces, _dataset(dataset_id)])
    # The stretches first, as the index is read in this order. And the order by a sum:
    # else PostgreSQL may look through all ids in their order.
    sql = (
        f"SELECT example_id FROM {TABLE}"
        " WHERE grams && %s::int[] AND grams @> %s::int[]"
        f" {asked.format('example_id')} ORDER BY example_id + 0 {order} LIMIT %s"
    )
    found: list[int] = []
    for stretches in _stretches(connection, dataset_id, beyond, backwards):
        values = [stretches, wanted, *bound, limit - len(found)]
        found += _ids(connection, sql, values)
        if len(found) == limit:
            break
    return found


def _ids(connection: Any, sql: str, values: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [pk for (pk,) in cursor.fetchall()]


def _stretches(
    connection: Any, dataset_id: int, beyond: int | None, backwards: bool
) -> Iterator[str]:
    """Arrays of the stretches of ids where to look, one after the other.

    PostgreSQL finds all ids of a common word before it takes the first ones, and that
    may be a million. So it looks at few stretches first, and at ever more of them.
    """
    ends = _first_and_last(connection, dataset_id)
    if ends is None:
        return
    first, last = (end // STRETCH for end in ends)
    here = (last if backwards else first) if beyond is None else beyond // STRETCH
    left = (
        range(min(here, last), first - 1, -1)
        if backwards
        else range(max(here, first), last + 1)
    )
    n = 1
    while left:
        yield _array(map(_stretch, (number * STRETCH for number in left[:n])))
        left, n = left[n:], min(4 * n, MOST_STRETCHES)


def _first_and_last(connection: Any, dataset_id: int) -> tuple[int, int] | None:
    """The ids between which a dataset's examples are; None if it has none."""
    one = (
        "SELECT id FROM datasets_app_example"
        " WHERE dataset_id = %s AND deleted_at IS NULL ORDER BY id"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ({one} LIMIT 1), ({one} DESC LIMIT 1)", [dataset_id, dataset_id]
        )
        first, last = cursor.fetchone()
        return None if first is None else (first, last)


def _dataset(dataset_id: int) -> str:
    """A piece that no text has: pieces of texts are letters and digits."""
    return f"§{dataset_id}"


def _stretch(pk: int) -> str:
    """Another such piece, which thousands of neighbours share."""
    return f"§§{pk // STRETCH}"


def _array(pieces: Iterable[str]) -> str:
    """Pieces as 32-bit numbers; two that share one are told apart by the text."""
    return "{" + ",".join(map(_number, pieces)) + "}"


@lru_cache(maxsize=20_000)
def _number(piece: str) -> str:
    return str(crc32(piece.encode()) - 2**31)
