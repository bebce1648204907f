"""Whoever wants to write beside work without a pause is let in after a piece or two."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from finetune_site.settings import SQLITE
from finetune_site.sqlite_in_turn.base import DatabaseWrapper
from finetune_site.sqlite_in_turn.turns import turn_to_wait

PIECE_SECONDS = 0.03


def connect(path: Path) -> DatabaseWrapper:
    """As settings do."""
    settings = {"NAME": path, "AUTOCOMMIT": True, "TIME_ZONE": None}
    settings |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    return DatabaseWrapper({**SQLITE, **settings}, alias="beside")


def write(database: DatabaseWrapper, seconds: float = 0) -> None:
    with database.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("INSERT INTO pieces VALUES (1)")
        time.sleep(seconds)
        cursor.execute("COMMIT")


@contextmanager
def work_without_a_pause(path: Path) -> Iterator[list[float]]:
    """Yields a list that has an entry for each transaction by now."""
    is_over, pieces = threading.Event(), [0.0]

    def work() -> None:
        database = connect(path)
        while not is_over.is_set():
            write(database, PIECE_SECONDS)
            pieces.append(time.monotonic())
        database.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield pieces
    finally:
        is_over.set()
        worker.join()


@pytest.fixture
def path(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    with django_db_blocker.unblock():  # it is a database of our own
        database = connect(tmp_path / "db.sqlite3")
        with database.cursor() as cursor:
            cursor.execute("CREATE TABLE pieces (piece)")
        database.close()
        yield tmp_path / "db.sqlite3"


def most_pieces(pieces: list[float], wait: Callable[[], object]) -> int:
    """Of some waits, each begun in the middle of a piece."""
    most = 0
    for _time in range(15):
        n_before = len(pieces)
        while len(pieces) == n_before:
            time.sleep(PIECE_SECONDS / 10)
        wait()
        most = max(most, len(pieces) - n_before - 1)
    return most


def test_nobody_waits_for_more_than_a_few_pieces(path: Path):
    database = connect(path)
    with work_without_a_pause(path) as pieces:
        most = most_pieces(pieces, lambda: write(database))
    database.close()

    assert most <= 4  # dozens otherwise


def test_a_single_statement_waits_in_turn_too(path: Path):
    database = connect(path)
    with work_without_a_pause(path) as pieces, database.cursor() as cursor:
        insert = "INSERT INTO pieces VALUES (2)"
        most = most_pieces(pieces, lambda: cursor.execute(insert))
    database.close()

    assert most <= 4


def test_a_process_that_hangs_in_its_turn_keeps_nobody_for_ever(tmp_path: Path):
    turns = str(tmp_path / "turns")
    with turn_to_wait(turns):
        began = time.monotonic()
        with turn_to_wait(turns, most_seconds=0.1):
            assert time.monotonic() - began >= 0.1


def test_who_reads_waits_for_nobody(path: Path):
    database = connect(path)
    with turn_to_wait(f"{path}-turns"), database.cursor() as cursor:
        began = time.monotonic()
        cursor.execute("SELECT count(*) FROM pieces")
        assert time.monotonic() - began < 15  # half of what a writer would wait
    database.close()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's are its own")
def test_the_tests_themselves_write_in_turn_as_the_site_does():
    with connection.cursor() as cursor:
        assert cursor.cursor.turns
