"""How fast a freeze is, beside the floor of what it must do in any case.

    python -m benchmarks.freeze_speed [--rows 100000] [--postgresql] [--cpu]

The floor, measured in the same run on the same rows: read what goes into the file,
hash it, write it, and insert one manifest row an example, with the driver alone. Works
in a database of its own.
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.seeded import Clock, in_scratch_site, load, make_rows, options, peak_mb


def main() -> None:
    chosen = options(__doc__)
    with in_scratch_site(on_postgresql=chosen.postgresql) as folder:
        measure(chosen.rows, folder, chosen.repeat, chosen.clock)


def measure(n_rows: int, folder: Path, repeat: int, clock: Clock) -> None:
    from django.db import connection

    from datasets_app import services

    dataset = make_rows(n_rows, folder)
    print(f"{n_rows:,} rows, {connection.vendor}, load average {load()}")
    print("  floor s   ours s   ours/floor    rows/s   peak MB (of which before)")
    before = peak_mb()
    for _ in range(repeat):
        floor = seconds(clock, lambda: plain_freeze(dataset))
        ours = seconds(clock, lambda: services.freeze(dataset=dataset, by=None))
        print(
            f"{floor:9.2f}{ours:9.2f}{ours / floor:13.2f}{n_rows / ours:10,.0f}"
            f"{peak_mb():10d} ({before})"
        )


def seconds(clock: Clock, work: Callable[[], object]) -> float:
    start = clock()
    work()
    return clock() - start


def plain_freeze(dataset: Any) -> None:
    """Three indexes and the columns of a manifest, and a file, by the shortest way."""
    from django.db import connection, transaction

    digest = hashlib.sha256()
    with connection.cursor() as cursor, tempfile.TemporaryFile() as file:
        cursor.execute(
            "CREATE TEMP TABLE plain_row (id INTEGER PRIMARY KEY, version INTEGER,"
            " split TEXT, line INTEGER, at INTEGER, example INTEGER, hash TEXT)"
        )
        cursor.execute("CREATE INDEX plain_a ON plain_row (version, split, line)")
        cursor.execute("CREATE INDEX plain_b ON plain_row (example, version)")
        rows, at = [], 0
        for number, (pk, messages, content_hash) in enumerate(read(dataset)):
            line = b'{"messages":' + messages.encode() + b"}\n"
            digest.update(line)
            file.write(line)
            rows.append((number, 1, "train", number, at, pk, content_hash))
            at += len(line)
        with transaction.atomic():
            insert(cursor, rows)
        cursor.execute("DROP TABLE plain_row")


def read(dataset: Any) -> Any:
    from django.db import connection, transaction

    sql = (
        "SELECT id, messages, content_hash FROM datasets_app_example"
        " WHERE dataset_id = %s AND deleted_at IS NULL ORDER BY position, id"
    )
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, [dataset.pk])
        while rows := cursor.fetchmany(2_000):
            yield from rows


def insert(cursor: Any, rows: list[tuple[Any, ...]]) -> None:
    if hasattr(cursor, "copy"):
        with cursor.copy("COPY plain_row FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        sql = "INSERT INTO plain_row VALUES (%s, %s, %s, %s, %s, %s, %s)"
        cursor.executemany(sql, rows)


if __name__ == "__main__":
    main()
