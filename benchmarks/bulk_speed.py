"""How fast bulk edits are: each changes, and records, every row of a dataset.

    python -m benchmarks.bulk_speed [--rows 100000] [--postgresql] [--repeat 1]

Seconds on the clock, with the processor's own beside them: on a busy machine the first
tell of its load. The floor is one UPDATE of a column of every row, in the same run:
rows of 4 KB have to be written once whatever the edit. Works in a database of its own.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.seeded import in_scratch_site, make_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with in_scratch_site(on_postgresql=options.postgresql) as folder:
        measure(options.rows, options.repeat, folder)


def measure(n_rows: int, repeat: int, folder: Path) -> None:
    from django.db import connection

    dataset = make_rows(n_rows, folder)
    print(f"{n_rows:,} rows, {connection.vendor}")
    print("                    seconds   of processor   rows/s     load average")
    for number in range(repeat):
        show_floor(dataset, n_rows)
        for what, undo in steps(dataset, number):
            show(what, undo, n_rows)


def show_floor(dataset: Any, n_rows: int) -> None:
    from django.utils.timezone import now

    timed("floor", lambda: dataset.examples.update(updated_at=now()), n_rows)


def steps(dataset: Any, number: int) -> Any:
    """Each edit to do, then its undo."""
    from datasets_app.models import BulkKind
    from datasets_app.services import bulk_edits

    for kind, params in (
        (BulkKind.TAG, {"name": f"tag {number}"}),
        (BulkKind.STATE, {"state": "in_review"}),
        (BulkKind.DELETE, {}),
        (BulkKind.REPLACE, {"find": "e", "replace": "é", "fields": ["text"]}),
    ):
        edit = bulk_edits.start_edit(dataset=dataset, kind=kind, by=None, params=params)
        yield kind.value, edit
        edit.refresh_from_db()
        yield f"undo of {kind.value}", bulk_edits.undo_edit(edit, by=None)


def show(what: str, edit: Any, n_rows: int) -> None:
    from datasets_app.services import bulk_edits

    timed(what, lambda: bulk_edits.run_edit(edit), n_rows)
    assert edit.n_changed == n_rows, (edit.status, edit.error, edit.n_changed)


def timed(what: str, work: Any, n_rows: int) -> None:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    seconds, worked = time.perf_counter() - clock, time.process_time() - processor
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{what:18}{seconds:9.2f}{worked:15.2f}{n_rows / seconds:9,.0f}     {load}")


if __name__ == "__main__":
    main()
