"""How fast bulk edits are: each changes, and records, every row of a dataset.

    python -m benchmarks.bulk_speed [--rows 100000] [--postgresql] [--repeat 1]
        [--only tag state delete unimport system replace]

Seconds on the clock, with the processor's own beside them (the database server's, too):
on a busy machine the first tell of its load. The floor is one UPDATE of a column of
every row, in the same run: rows of 4 KB have to be written once whatever the edit.
Works in a database of its own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.seeded import (
    in_scratch_site,
    load,
    make_rows,
    options,
    peak_mb,
    processor_seconds,
)


def main() -> None:
    chosen = options(__doc__, repeat=1)
    with in_scratch_site(on_postgresql=chosen.postgresql) as folder:
        measure(chosen.rows, chosen.repeat, folder, chosen.only)


def measure(n_rows: int, repeat: int, folder: Path, only: list[str] | None) -> None:
    from django.db import connection

    dataset = make_rows(n_rows, folder)
    print(f"{n_rows:,} rows, {connection.vendor}")
    print("                    seconds   of processor   rows/s   peak MB   load")
    for number in range(repeat):
        show_floor(dataset, n_rows)
        for kind, params in kinds(dataset, number):
            if only is None or kind.value in only:
                show_both_ways(dataset, kind, params, n_rows)


def show_floor(dataset: Any, n_rows: int) -> None:
    from django.utils.timezone import now

    timed("floor", lambda: dataset.examples.update(updated_at=now()), n_rows)


def kinds(dataset: Any, number: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    from datasets_app.models import BulkKind, ImportRun

    yield BulkKind.TAG, {"name": f"tag {number}"}
    yield BulkKind.STATE, {"state": "in_review"}
    yield BulkKind.DELETE, {}
    run = ImportRun.objects.get(dataset=dataset)
    yield BulkKind.UNDO_IMPORT, {"import_run": run.pk, "keep_changed": False}
    yield BulkKind.SYSTEM_PROMPT, {"how": "set", "text": f"Prompt {number}."}
    yield BulkKind.REPLACE, {"find": "e", "replace": "é", "fields": ["text"]}


def show_both_ways(
    dataset: Any, kind: Any, params: dict[str, Any], n_rows: int
) -> None:
    """The edit, then its undo."""
    from datasets_app.services import bulk_edits

    edit = bulk_edits.start_edit(dataset=dataset, kind=kind, by=None, params=params)
    show(kind.value, edit, n_rows)
    edit.refresh_from_db()
    show(f"undo of {kind.value}", bulk_edits.undo_edit(edit, by=None), n_rows)


def show(what: str, edit: Any, n_rows: int) -> None:
    from datasets_app.services import bulk_edits

    timed(what, lambda: bulk_edits.run_edit(edit), n_rows)
    assert edit.n_changed == n_rows, (edit.status, edit.error, edit.n_changed)


def timed(what: str, work: Any, n_rows: int) -> None:
    clock, processor = time.perf_counter(), processor_seconds()
    work()
    seconds, worked = time.perf_counter() - clock, processor_seconds() - processor
    print(
        f"{what:18}{seconds:9.2f}{worked:15.2f}{n_rows / seconds:9,.0f}"
        f"{peak_mb():10d}   {load()}"
    )


if __name__ == "__main__":
    main()
