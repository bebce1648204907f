"""Celery workers that are killed in the middle of their work, whatever it is.

The whole group of processes gets SIGKILL behind the first piece; a new worker and the
tick go on. Nothing is there twice, nothing is lost, nothing is half.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.datasets_app.at_work.site import Site, new_site

pytestmark = pytest.mark.processes
N_ROWS = 3_000
N_IMPORTED = 9_000  # three batches
TRIES = 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("workers") / "var"
    with new_site(folder, os.environ.get("DATABASE_URL", "")) as site:
        yield site


def killed_in_the_middle(site: Site, work: str, n: int = N_ROWS) -> tuple[int, int]:
    """Begin the work, kill its worker, and let another finish it.

    Returns the keys of the run and of its dataset.
    """
    for _ in range(TRIES):
        if site.worker is None:
            site.start_worker()
        model, run, dataset = site.ask(work, n=n)
        if site.kill_worker(model, run):
            break  # else it had ended already
    else:
        raise AssertionError("The work always ended before it was killed.")
    site.start_worker()
    assert site.wait_for_the_end(model, run) == "finished"
    return run, dataset


def rows_of(site: Site, dataset: int) -> dict[str, Any]:
    rows = site.ask("rows", dataset=dataset)
    assert rows.pop("is_counted_right")
    return rows


def test_an_import_adds_each_row_once(site: Site):
    _run, dataset = killed_in_the_middle(site, "new_import", N_IMPORTED)

    rows = rows_of(site, dataset)
    assert rows == {**rows, "n": N_IMPORTED, "n_draft": N_IMPORTED, "in_bin": 0}
    assert rows["sha256"] == site.ask("sha256_of_lines", n=N_IMPORTED)


def test_a_freeze_makes_one_whole_version_and_leaves_no_file(site: Site):
    _run, dataset = killed_in_the_middle(site, "new_freeze")

    assert site.ask("versions", dataset=dataset) == [[True, N_ROWS]]
    assert site.ask("files") == site.ask("known_files")


def test_a_check_reads_and_counts_every_row_once(site: Site):
    _run, dataset = killed_in_the_middle(site, "new_check")

    found = site.ask("found", dataset=dataset)
    assert found["n_compared"] == N_ROWS
    assert found["codes"]["exact_duplicate"] == N_ROWS // 10
    assert found["n_counted"] == found["n_with"]


def test_a_bulk_edit_changes_and_records_each_row_once(site: Site):
    run, dataset = killed_in_the_middle(site, "new_edit")

    assert site.ask("revisions", dataset=dataset) == {str(run): N_ROWS}
    rows = rows_of(site, dataset)
    assert rows["sha256"] == site.ask("sha256_of_lines", n=N_ROWS, answer="Reply")


def test_an_undo_brings_every_row_back_once(site: Site):
    run, dataset = killed_in_the_middle(site, "new_undo")

    assert site.ask("revisions", dataset=dataset)[str(run)] == N_ROWS
    assert rows_of(site, dataset)["sha256"] == site.ask("sha256_of_lines", n=N_ROWS)


def test_an_undone_import_is_in_the_bin_as_a_whole(site: Site):
    _run, dataset = killed_in_the_middle(site, "new_undone_import", 2 * N_ROWS)

    rows = rows_of(site, dataset)
    assert (rows["n"], rows["in_bin"]) == (0, 2 * N_ROWS)
