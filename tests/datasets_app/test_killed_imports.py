"""Real processes that import, killed in the middle: no row twice, none missing."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests.factories import chat_line

pytestmark = pytest.mark.processes
N_ROWS = 14_000  # four batches
PATIENCE_SECONDS = 120
BAD = {3: b"nope\n", 9_000: b"\xff\n", N_ROWS: b"{}\n"}
WORK = "import django; django.setup(); from datasets_app import tasks; tasks.{}"


def hear_ctrl_c() -> None:
    """A shell's background jobs, and so all that they start, are deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Site:
    """A database of its own, and processes of ours that work on it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.env = {
            **os.environ,
            "FINETUNE_SITE_VAR": str(var),
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "finetune_site.settings",
        }
        self.file = var / "rows.jsonl"
        self.log = var / "log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=self.env,
                stdout=log,
                stderr=log,
                preexec_fn=hear_ctrl_c,
            )
        self.processes.append(process)
        return process

    def start_import(self) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "import_jsonl", "Killed", str(self.file))

    def start_worker(self) -> subprocess.Popen[bytes]:
        """What a worker does when the bell rings."""
        return self.start("-c", WORK.format("run_import(1)"))

    def ask(self, sql: str, *values: object) -> list[tuple]:
        connect = sqlite3.connect(self.var / "db.sqlite3", timeout=30)
        with closing(connect) as database, database:
            return database.execute(sql, values).fetchall()

    def wait_for(self, is_there: str, *values: object) -> None:
        """Until the SELECT finds a row."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.ask(is_there, *values):
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.002)

    def wait_until_read(self, n_rows: int) -> None:
        self.wait_for("SELECT 1 FROM datasets_app_importrun WHERE n_read >= ?", n_rows)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """And let the minute pass after which it counts as dead."""
        process.kill()
        process.wait()
        long_ago = "2020-01-01 00:00:00"
        self.ask("UPDATE datasets_app_importrun SET heartbeat_at = ?", long_ago)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@contextmanager
def new_site(folder: Path) -> Iterator[Site]:
    folder.mkdir()
    site = Site(folder)
    try:
        yield site
    finally:
        site.end()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> Path:
    """A database with all tables and nothing in them."""
    with new_site(tmp_path_factory.mktemp("sites") / "empty") as site:
        made = site.start("manage.py", "migrate", "--verbosity=0")
        assert made.wait() == 0, site.log.read_text()
        site.ask("PRAGMA wal_checkpoint(TRUNCATE)")
        return site.var / "db.sqlite3"


@pytest.fixture
def site(migrated: Path, tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path / "var") as site:
        (site.var / "db.sqlite3").write_bytes(migrated.read_bytes())
        site.file.write_bytes(
            b"".join(
                BAD.get(n) or chat_line(f"Question {n}?", f"Answer {n}.")
                for n in range(1, N_ROWS + 1)
            )
        )
        yield site


def assert_whole(site: Site) -> None:
    """Every good line is there once and in its place, every bad one reported once."""
    counts = "SELECT status, n_read, n_added, n_invalid FROM datasets_app_importrun"
    assert site.ask(counts) == [("finished", N_ROWS, N_ROWS - len(BAD), len(BAD))]
    good = [n for n in range(1, N_ROWS + 1) if n not in BAD]
    wanted = [(k, f"Question {n}?\nAnswer {n}.") for k, n in enumerate(good, start=1)]
    rows = "SELECT position, text FROM datasets_app_example ORDER BY position"
    is_whole = site.ask(rows) == wanted  # pytest would compare thousands for minutes
    assert is_whole, "A row is missing, there twice, or out of its place."
    lines = site.ask("SELECT line_number FROM datasets_app_importproblem ORDER BY id")
    assert [line for (line,) in lines] == list(BAD)


def at_the_claim(site: Site) -> None:
    site.wait_for("SELECT 1 FROM datasets_app_importrun WHERE status = 'running'")


def after_a_batch(site: Site) -> None:
    site.wait_until_read(4_000)


def within_a_batch(site: Site) -> None:
    site.wait_until_read(4_000)
    time.sleep(0.1)


def near_the_end(site: Site) -> None:
    site.wait_until_read(12_000)


@pytest.mark.parametrize(
    "moment", [at_the_claim, after_a_batch, within_a_batch, near_the_end]
)
def test_an_import_killed_at_any_moment_is_finished_by_the_next_process(
    site: Site, moment: Callable[[Site], None]
):
    killed = site.start_import()
    moment(site)
    site.kill(killed)

    site.start_worker().wait()
    assert_whole(site)


def test_an_import_killed_again_and_again_is_finished_in_the_end(site: Site):
    process = site.start_import()
    for n_rows in (1, 4_001, 8_001):
        site.wait_until_read(n_rows)
        site.kill(process)
        process = site.start_worker()

    process.wait()
    assert_whole(site)


def test_three_workers_at_once_import_each_row_once(site: Site):
    killed = site.start_import()
    after_a_batch(site)
    site.kill(killed)

    for worker in [site.start_worker(), site.start_worker(), site.start_worker()]:
        worker.wait()
    assert_whole(site)


def test_ctrl_c_leaves_the_import_cancelled_and_its_rows_in_place(site: Site):
    with site.file.open("ab") as file:  # so much that it cannot end meanwhile
        file.writelines(chat_line(f"More {n}", "y") for n in range(4 * N_ROWS))
    process = site.start_import()
    after_a_batch(site)
    process.send_signal(signal.SIGINT)

    assert process.wait() == 1
    assert "`./manage.py undo_import 1`" in site.log.read_text()
    ((status, n_added),) = site.ask(
        "SELECT status, n_added FROM datasets_app_importrun"
    )
    assert status == "cancelled"
    assert site.ask("SELECT count(*) FROM datasets_app_example") == [(n_added,)]
    assert 0 < n_added < 5 * N_ROWS


def test_a_database_that_is_locked_for_a_while_costs_only_time(site: Site):
    with closing(sqlite3.connect(site.var / "db.sqlite3", timeout=30)) as database:
        database.execute("BEGIN IMMEDIATE")
        process = site.start_import()
        time.sleep(4)
        assert process.poll() is None
        database.rollback()

    process.wait()
    assert_whole(site)


def test_a_file_deleted_in_the_middle_does_not_matter_to_who_reads_it(site: Site):
    process = site.start_import()
    after_a_batch(site)
    for stored in (site.var / "files" / "imports").iterdir():
        stored.unlink()

    process.wait()
    assert_whole(site)
