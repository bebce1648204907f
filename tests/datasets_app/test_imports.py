"""Imports through the services: what is added, what is reported, what survives."""

import json
from datetime import timedelta
from pathlib import Path
from threading import Event
from unicodedata import normalize

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now

from datasets_app import services
from datasets_app.models import (
    Example,
    ImportFailure,
    ImportProblem,
    ImportRun,
    RunStatus,
    Split,
)
from datasets_app.services import import_batches, runs
from tests.datasets_app.bad_rows import BAD_LINES, GOOD_LINES, REPLY, USER, row
from tests.datasets_app.import_runs import counts, revived, run, start
from tests.factories import chat_line, chat_lines, make_dataset, make_user

pytestmark = pytest.mark.django_db


def reported(done: ImportRun) -> list[tuple[int, int | None, str]]:
    return list(done.problems.values_list("line_number", "message_index", "code"))


def test_good_rows_become_drafts_in_their_order():
    by = make_user()
    done = run(chat_lines(3), split=Split.VALIDATION, by=by)

    rows = Example.objects.filter(dataset=done.dataset)
    assert done.status == RunStatus.FINISHED
    assert counts(done) == (3, 3, 0, 0)
    assert [example.messages[0]["content"] for example in rows] == [
        "Question 1?",
        "Question 2?",
        "Question 3?",
    ]
    assert [example.position for example in rows] == [1, 2, 3]
    assert {example.state for example in rows} == {"draft"}
    assert {example.split for example in rows} == {"validation"}
    assert {example.created_by for example in rows} == {by}


def test_an_imported_row_is_like_one_typed_in_the_admin():
    """`insert_examples` fills every field as `save_example` does."""
    line = GOOD_LINES[4]
    imported = run(line).dataset.examples.get()
    typed = Example(dataset=make_dataset(), **json.loads(line))
    services.save_example(typed, by=None)

    its_own = {"id", "dataset", "import_run", "created_at", "updated_at"}
    for field in Example._meta.concrete_fields:
        if field.name not in its_own:
            assert getattr(imported, field.attname) == getattr(typed, field.attname)
    assert imported.created_at


@pytest.mark.parametrize(("code", "index", "line"), BAD_LINES)
def test_a_bad_line_is_reported_and_stops_nothing(code, index, line):
    done = run(chat_line("one", "1") + line + b"\n" + chat_line("two", "2"))

    assert counts(done) == (3, 2, 1, 0)
    assert (2, index, code) in reported(done)
    assert {number for number, _index, _code in reported(done)} == {2}
    first, *others = done.problems.values_list("raw", flat=True)
    assert first
    assert not any(others)


def test_the_mark_windows_ends_and_blank_lines_are_accepted():
    data = b"\xef\xbb\xbf" + chat_lines(2).replace(b"\n", b"\r\n\r\n")

    assert counts(run(data)) == (2, 2, 0, 0)


def test_a_line_of_fifty_megabytes_is_reported_and_skipped():
    data = (
        chat_line("a", "b") + b'{"x": "' + b"x" * 50_000_000 + b'"}\n' + chat_lines(1)
    )
    done = run(data)

    assert counts(done) == (3, 2, 1, 0)
    assert reported(done) == [(2, None, "too_long")]
    assert len(done.problems.get().raw) <= import_batches.RAW_LENGTH


def test_an_empty_file_is_finished_with_nothing_read():
    done = run(b"\n\n")

    assert (done.status, counts(done)) == (RunStatus.FINISHED, (0, 0, 0, 0))
    assert done.percent == 100


def test_a_row_that_comes_twice_is_added_once():
    again = b'{ "messages" : [ {"content":"Hi", "role":"user"}, ' + (
        b'{"role":"assistant","content":"Hello"}]}'
    )
    done = run(row(USER, REPLY) + b"\n" + again + b"\n")

    assert counts(done) == (2, 1, 0, 1)


def test_a_row_the_dataset_has_is_not_added_again(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
    first = run(chat_lines(3))
    second = run(chat_lines(5), dataset=first.dataset)

    assert counts(second) == (5, 2, 0, 3)
    positions = Example.objects.values_list("position", flat=True)
    assert sorted(positions) == [1, 2, 3, 4, 5]


def test_another_dataset_may_have_the_same_row():
    run(chat_lines(1))

    assert counts(run(chat_lines(1))) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "네\u2028 é e\u0301 😀 \x7f\t <b>&amp;</b>",
        "\\N",
        "\\.",
        "a\\b\tc\nd\re\\n\"'\x01\x0b\x08",
        "?1 %s {} $1",
    ],
)
def test_text_is_kept_as_it_is(text):
    done = run(chat_line(text, text))

    example = done.dataset.examples.get()
    assert example.messages[0]["content"] == text
    assert example.text == normalize("NFC", f"{text}\n{text}")


def test_a_nul_is_reported_in_words_that_the_database_can_hold():
    done = run(row({"role": "user", "content": "a\x00b"}, REPLY) + b"\n\x00\n")

    assert counts(done) == (2, 0, 2, 0)
    assert "\x00" not in "".join(done.problems.values_list("raw", flat=True))


def test_big_numbers_in_tools_are_kept_exactly():
    tool = {"name": "f", "parameters": {"maximum": 2**80, "minimum": 0.1}}
    line = row(USER, REPLY, tools=[{"type": "function", "function": tool}])

    assert run(line).dataset.examples.get().tools[0]["function"] == tool


def test_the_order_of_keys_in_a_tool_is_kept():
    properties = {"zeta": {"type": "string"}, "alpha": {"type": "string"}}
    function = {"name": "f", "parameters": {"properties": properties}}
    line = row(USER, REPLY, tools=[{"type": "function", "function": function}])

    stored = run(line).dataset.examples.get().tools[0]["function"]
    assert list(stored["parameters"]["properties"]) == ["zeta", "alpha"]


def test_the_uploaders_file_name_is_no_path():
    started = start(b"", file_name="../../etc/passwd")

    assert started.file_name == "passwd"
    assert "passwd" not in str(started.file.name)


class TestAllOrNothing:
    def test_one_bad_row_keeps_out_all(self):
        done = run(chat_lines(3) + b"nope\n", strict=True)

        assert done.status == RunStatus.FAILED
        assert done.error == ImportFailure.SOME_INVALID
        assert reported(done) == [(4, None, "not_json")]
        assert (done.n_read, done.n_added, done.n_invalid) == (4, 0, 1)
        assert not Example.objects.exists()

    def test_a_file_of_good_rows_is_added(self, monkeypatch):
        monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
        done = run(chat_lines(5) + chat_lines(1), strict=True)

        assert done.status == RunStatus.FINISHED
        assert counts(done) == (6, 5, 0, 1)
        assert done.percent == 100

    def test_it_is_taken_up_again_in_its_second_pass(self, monkeypatch):
        monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
        started = start(chat_lines(6), strict=True)
        kill_after(monkeypatch, started, n_batches=4)  # three check, one adds
        assert Example.objects.count() == 2

        services.run_import(revived(started))
        started.refresh_from_db()

        assert counts(started) == (6, 6, 0, 0)


class Killed(BaseException):
    """As if the process had ended: nothing may catch this."""


def kill_after(monkeypatch, started: ImportRun, *, n_batches: int) -> None:
    """Run an import until it has reported `n_batches` batches, and then end it."""
    reports: list[int] = []

    def report(_run: ImportRun) -> None:
        reports.append(1)
        if len(reports) == n_batches:
            raise Killed

    with pytest.raises(Killed):
        services.run_import(started, on_progress=report)


class TestAnImportThatWasKilled:
    def test_goes_on_after_its_last_batch(self, monkeypatch):
        monkeypatch.setattr(import_batches, "BATCH_ROWS", 3)
        started = start(chat_lines(4) + b"nope\n" + chat_lines(8))
        kill_after(monkeypatch, started, n_batches=2)
        taken_up = revived(started)
        assert taken_up.n_lines_read == 6

        services.run_import(taken_up)
        started.refresh_from_db()

        assert started.status == RunStatus.FINISHED
        assert counts(started) == (13, 8, 1, 4)
        assert Example.objects.count() == 8
        assert reported(started) == [(5, None, "not_json")]

    def test_is_left_alone_while_it_shows_signs_of_life(self, monkeypatch):
        started = start(chat_lines(3))
        kill_after(monkeypatch, started, n_batches=1)

        assert not runs.waiting(ImportRun).exists()
        services.run_import(started)
        started.refresh_from_db()
        assert started.status == RunStatus.RUNNING

    def test_cannot_write_any_more_once_another_took_it(self, monkeypatch):
        """It was only asleep, and wakes up in the middle of a batch."""
        monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
        started = start(chat_lines(6))
        sleeper = ImportRun.objects.get(pk=started.pk)

        def fall_asleep(_run: ImportRun) -> None:
            taken_up = revived(started)
            services.run_import(taken_up)

        services.run_import(sleeper, on_progress=fall_asleep)
        started.refresh_from_db()

        assert counts(started) == (6, 6, 0, 0)
        assert Example.objects.count() == 6

    def test_is_given_up_after_some_attempts(self):
        started = start(chat_lines(3))
        ImportRun.objects.filter(pk=started.pk).update(n_attempts=runs.MAX_ATTEMPTS)
        services.run_import(started)
        started.refresh_from_db()

        assert started.status == RunStatus.FAILED
        assert started.error == ImportFailure.STOPPED


def test_of_two_processes_only_one_imports():
    started = start(chat_lines(2))
    copy = ImportRun.objects.get(pk=started.pk)

    assert runs.claim(started)
    assert not runs.claim(copy)


def test_an_import_that_nobody_heard_of_is_found():
    started = start(chat_lines(1))
    assert not runs.waiting(ImportRun).exists()

    unheard = now() - timedelta(seconds=runs.UNHEARD_SECONDS + 1)
    ImportRun.objects.update(created_at=unheard)

    assert runs.waiting(ImportRun).get() == started


def test_an_import_whose_file_is_gone_says_so():
    started = start(chat_lines(1))
    Path(started.file.path).unlink()
    services.run_import(started)
    started.refresh_from_db()

    assert started.status == RunStatus.FAILED
    assert started.error == ImportFailure.FILE_GONE


def test_an_import_whose_dataset_is_deleted_meanwhile_just_stops(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 1)
    started = start(chat_lines(3))
    dataset = started.dataset

    def delete_dataset(_run: ImportRun) -> None:
        dataset.delete()

    services.run_import(started, on_progress=delete_dataset)

    assert not ImportRun.objects.exists()
    assert not Example.objects.exists()


def test_a_batch_is_read_while_the_one_before_it_is_stored(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
    is_read, read = Event(), import_batches.Batch.read

    def read_and_tell(batch, lines):
        read(batch, lines)
        if batch.n_lines == 4:
            is_read.set()

    monkeypatch.setattr(import_batches.Batch, "read", read_and_tell)
    early: list[bool] = []
    started = start(chat_lines(4))
    services.run_import(started, on_progress=lambda _run: early.append(is_read.wait(9)))

    assert early[0]


def test_problems_are_stored_in_the_order_of_their_lines():
    unfinished, broken = b'{"messages": []}\n', b"nope\n"
    done = run(unfinished + broken + unfinished + broken)

    assert [line for line, _index, _code in reported(done)] == [1, 2, 3, 4]


def test_a_full_disk_is_said_and_nothing_is_stored(monkeypatch):
    def no_room(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ImportRun._meta.get_field("file").storage, "_save", no_room)
    with pytest.raises(services.StorageFull, match="No space left on device"):
        start(chat_lines(1))

    assert not ImportRun.objects.exists()


def test_the_stored_file_goes_with_the_import(django_capture_on_commit_callbacks):
    started = start(chat_lines(1))
    path = Path(started.file.path)
    with django_capture_on_commit_callbacks(execute=True):
        started.delete()

    assert not path.exists()


def test_a_batch_takes_a_fixed_number_of_queries(django_assert_max_num_queries):
    started = start(chat_lines(900))
    with django_assert_max_num_queries(24):
        services.run_import(started)


def test_long_lines_make_small_batches(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_BYTES", 100)
    seen: list[int] = []
    started = start(chat_lines(4))
    services.run_import(started, on_progress=lambda run: seen.append(run.n_read))

    assert seen[:2] == [1, 2]


def test_the_problems_of_a_batch_are_stored_with_it():
    started = start(b"x\n" * 1500)
    services.run_import(started)

    assert ImportProblem.objects.filter(import_run=started).count() == 1500


def test_a_file_object_of_any_kind_is_taken():
    started = services.start_import(
        dataset=make_dataset(),
        file=ContentFile(chat_lines(2)),
        file_name="x",
        split=Split.TRAIN,
    )

    assert started.n_total == len(chat_lines(2))
