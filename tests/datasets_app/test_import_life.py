"""An import that is cancelled, goes on, or meets a full disk or a busy database."""

import errno
import sqlite3

import pytest
from django.db import OperationalError, connection

from datasets_app import services
from datasets_app.models import Example, ImportFailure, ImportRun, RunStatus
from datasets_app.services import import_batches, imports, runs
from tests.datasets_app.import_runs import counts, run, start
from tests.factories import chat_line, chat_lines

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch) -> None:
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)


def cancelled_after_one_batch(data: bytes) -> ImportRun:
    started = start(data)

    def cancel(_run: ImportRun) -> None:
        services.cancel_import(ImportRun.objects.get(pk=started.pk))

    services.run_import(started, on_progress=cancel)
    started.refresh_from_db()
    return started


def test_a_cancelled_import_stops_at_once_and_its_rows_stay():
    done = cancelled_after_one_batch(chat_lines(6))

    assert done.status == RunStatus.CANCELLED
    assert counts(done) == (2, 2, 0, 0)
    assert Example.objects.count() == 2


def test_an_import_that_nobody_took_up_yet_can_be_cancelled():
    started = start(chat_lines(2))
    assert services.cancel_import(started)

    services.run_import(started)
    assert not Example.objects.exists()


def test_an_import_that_has_ended_cannot_be_cancelled():
    assert not services.cancel_import(run(chat_lines(2)))


def test_a_cancelled_import_can_go_on_where_it_stopped():
    done = cancelled_after_one_batch(chat_lines(6))
    assert services.resume_import(done)

    services.run_import(done)
    done.refresh_from_db()
    assert done.status == RunStatus.FINISHED
    assert counts(done) == (6, 6, 0, 0)


def test_a_finished_import_does_not_go_on():
    assert not services.resume_import(run(chat_lines(2)))


def test_all_or_nothing_can_be_given_up_for_the_good_rows():
    done = run(chat_lines(2) + b"nope\n" + chat_lines(1), strict=True)
    assert services.resume_import(done)

    services.run_import(done)
    done.refresh_from_db()
    assert done.status == RunStatus.FINISHED
    assert (counts(done), done.error) == ((4, 2, 1, 1), "")
    assert done.problems.count() == 1


def sqlite_error(code: int) -> OperationalError:
    cause = sqlite3.OperationalError()
    cause.sqlite_errorcode = code
    error = OperationalError()
    error.__cause__ = cause
    return error


def postgresql_error(sqlstate: str) -> OperationalError:
    cause = Exception()
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    error = OperationalError()
    error.__cause__ = cause
    return error


def meet(monkeypatch, error: Exception) -> ImportRun:
    """An import whose third batch meets this error."""
    n_batches = iter(range(10))
    insert = imports.insert_examples

    def insert_or_fail(*args, **kwargs):
        if next(n_batches) == 2:
            raise error
        insert(*args, **kwargs)

    monkeypatch.setattr(imports, "insert_examples", insert_or_fail)
    return run(chat_lines(8))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite_error(sqlite3.SQLITE_FULL),
        postgresql_error("53100"),
    ],
)
def test_a_full_disk_is_said_and_the_import_goes_on_when_there_is_room(
    error, monkeypatch
):
    done = meet(monkeypatch, error)
    assert (done.status, done.error) == (RunStatus.FAILED, ImportFailure.NO_ROOM)
    assert counts(done) == (4, 4, 0, 0)

    services.resume_import(done)
    services.run_import(done)
    done.refresh_from_db()
    assert counts(done) == (8, 8, 0, 0)


def test_a_database_that_is_locked_puts_the_import_off(monkeypatch):
    done = meet(monkeypatch, sqlite_error(sqlite3.SQLITE_BUSY))
    assert done.status == RunStatus.PENDING

    services.run_import(done)
    done.refresh_from_db()
    assert counts(done) == (8, 8, 0, 0)


def test_any_other_error_is_the_workers_to_log(monkeypatch):
    with pytest.raises(OperationalError):
        meet(monkeypatch, OperationalError("the server closed the connection"))

    assert ImportRun.objects.get().status == RunStatus.RUNNING


def test_an_import_that_got_on_has_all_its_attempts_again(monkeypatch):
    started = start(chat_lines(4))
    ImportRun.objects.update(n_attempts=runs.MAX_ATTEMPTS - 1)
    services.run_import(started)
    started.refresh_from_db()

    assert started.n_attempts == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a limit of SQLite's")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_really_cannot_grow_any_more_keeps_what_it_has():
    data = b"".join(chat_line(f"{n} " + "x" * 3_000, "y") for n in range(6))
    started = start(data)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that other tests left free would be room
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 8}")
        try:
            services.run_import(started)
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    started.refresh_from_db()

    assert (started.status, started.error) == (RunStatus.FAILED, ImportFailure.NO_ROOM)
    assert started.n_added == started.dataset.examples.count() < 6
    services.resume_import(started)
    services.run_import(started)
    assert started.dataset.examples.count() == 6
