"""How fast rows leave, in every format, beside the floor of reading and writing them.

    python -m benchmarks.export_speed [--rows 100000] [--postgresql] [--cpu]

The floor, measured in the same run on the same rows: read the column that the line is
made of with the driver alone, and write it to a file.
"""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.seeded import Clock, in_scratch_site, load, make_rows, options, peak_mb


def main() -> None:
    chosen = options(__doc__)
    with in_scratch_site(on_postgresql=chosen.postgresql) as folder:
        measure(chosen.rows, folder, partial(best, chosen.repeat, chosen.clock))


def measure(
    n_rows: int, folder: Path, best: Callable[[Callable[[], int]], tuple[float, int]]
) -> None:
    from django.db import connection

    from datasets_app.services import exports

    dataset = make_rows(n_rows, folder)
    print(f"{n_rows:,} rows, {connection.vendor}, load average {load()}")
    print("format                 s   ours/floor      rows/s     MB   peak MB (+)")
    floor = best(lambda: written(plain_rows(dataset)))
    print(f"{'floor':18}{floor[0]:6.2f}{1:13.2f}{n_rows / floor[0]:12,.0f}")
    before = peak_mb()
    for format in exports.formats_for(dataset):
        seconds, n_bytes = best(partial(exported, dataset, format.key))
        print(
            f"{format.key:18}{seconds:6.2f}{seconds / floor[0]:13.2f}"
            f"{n_rows / seconds:12,.0f}{n_bytes / 1e6:7.0f}"
            f"{peak_mb():10d} (+{peak_mb() - before})"
        )


def best(repeat: int, clock: Clock, work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of the quickest time, and bytes."""
    found = []
    for _ in range(repeat):
        start = clock()
        n_bytes = work()
        found.append((clock() - start, n_bytes))
    return min(found)


def written(pieces: Iterable[bytes]) -> int:
    with tempfile.TemporaryFile() as file:
        return sum(file.write(piece) for piece in pieces)


def exported(dataset: Any, key: str) -> int:
    from datasets_app.exports import FORMATS, Tally, write
    from datasets_app.services import exports
    from datasets_app.services.selection import Selection

    format = FORMATS[key]
    rows = exports.selected_rows(dataset, Selection(), with_extra=format.takes_extra)
    return written(write(format, rows, Tally()))


def plain_rows(dataset: Any) -> Iterable[bytes]:
    from django.db import connection, transaction

    sql = (
        "SELECT messages FROM datasets_app_example"
        " WHERE dataset_id = %s AND deleted_at IS NULL ORDER BY position, id"
    )
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, [dataset.pk])
        while rows := cursor.fetchmany(2_000):
            for (messages,) in rows:
                yield f'{{"messages":{messages}}}\n'.encode()


if __name__ == "__main__":
    main()
