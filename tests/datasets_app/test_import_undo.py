"""An import is undone as one step, and the undo as another."""

import pytest

from datasets_app.models import (
    BulkEdit,
    Example,
    ImportRun,
    OnDuplicate,
    ReviewState,
    RunStatus,
    Split,
)
from datasets_app.services import bulk_edits, save_example
from datasets_app.services.bulk_edits import BadEdit, putting_back
from datasets_app.services.bulk_edits import import_undo as kind
from datasets_app.services.import_undo import redo_import, undo_import
from datasets_app.services.imported_rows import changed_since
from tests.datasets_app.import_runs import run, start
from tests.factories import chat_line, chat_lines, make_user

pytestmark = pytest.mark.django_db


def undo(done: ImportRun, **options) -> BulkEdit:
    edit = undo_import(done, **{"by": None, **options})
    bulk_edits.run_edit(edit)
    edit.refresh_from_db()
    done.refresh_from_db()
    return edit


def redo(done: ImportRun) -> None:
    bulk_edits.run_edit(redo_import(done, by=None))
    done.refresh_from_db()


def change(example: Example) -> None:
    example.messages[-1]["content"] = "Changed by hand."
    save_example(example, by=None)


def test_its_rows_go_to_the_bin_and_no_other():
    by, other = make_user(), run(chat_line("Other?", "Yes.")).dataset.examples.get()
    done = run(chat_lines(3), dataset=other.dataset)
    edit = undo(done, by=by)

    assert (edit.status, edit.n_changed) == (RunStatus.FINISHED, 3)
    assert list(other.dataset.examples.all()) == [other]
    binned = Example.with_deleted.filter(import_run=done)
    assert all(row.deleted_at and row.updated_by == by for row in binned)
    assert edit.revisions.count() == 3


def test_the_undo_is_taken_back():
    done = run(chat_lines(3))
    undo(done)
    redo(done)

    assert done.dataset.examples.count() == 3
    assert undo(done).n_changed == 3


def test_an_import_of_many_pieces_is_undone_whole(monkeypatch):
    monkeypatch.setattr(kind.UndoImport, "rows_at_once", 2)
    done = run(chat_lines(5))
    undo(done)

    assert not done.dataset.examples.exists()


def test_rows_that_people_changed_go_too():
    done = run(chat_lines(3))
    change(done.dataset.examples.all()[0])

    assert changed_since(done).count() == 1
    assert undo(done).n_changed == 3


def test_rows_that_people_changed_are_kept_where_one_chooses():
    done = run(chat_lines(3))
    row = done.dataset.examples.all()[0]
    change(row)
    undo(done, keep_changed=True)

    assert list(done.dataset.examples.all()) == [row]


def test_being_undone_and_brought_back_is_no_change_of_a_row():
    done = run(chat_lines(3))
    undo(done)
    redo(done)

    assert not changed_since(done).exists()


class TestARowThatWasReplaced:
    @pytest.fixture
    def first(self) -> ImportRun:
        first = run(chat_lines(2))
        first.dataset.examples.update(state=ReviewState.APPROVED, extra={"a": 1})
        return first

    def replace(self, first: ImportRun, data: bytes = b"") -> ImportRun:
        return run(
            data or chat_lines(3),
            dataset=first.dataset,
            on_duplicate=OnDuplicate.REPLACE,
            split=Split.VALIDATION,
        )

    def test_is_again_what_it_was(self, first):
        before = list(first.dataset.examples.values("pk", "import_run", *FIELDS))
        done = self.replace(first)
        undo(done)

        rows = first.dataset.examples.values("pk", "import_run", *FIELDS)
        assert list(rows) == before

    def test_is_put_back_few_at_a_time_where_rows_are_long(self, first, monkeypatch):
        done, read = self.replace(first), []
        monkeypatch.setattr("datasets_app.services.long_rows.MOST_CHARACTERS", 1)

        def put_back(edit, wanted, undone):
            read.append(len(wanted))
            return putting_back.put_back(edit, wanted, undone)

        monkeypatch.setattr(kind, "put_back", put_back)
        assert (undo(done).n_changed, read) == (3, [1, 1])

    def test_is_replaced_again_when_the_undo_is_taken_back(self, first):
        done = self.replace(first)
        after = list(first.dataset.examples.values("pk", "import_run", *FIELDS))
        undo(done)
        redo(done)

        rows = first.dataset.examples.values("pk", "import_run", *FIELDS)
        assert list(rows) == after

    def test_is_left_alone_where_somebody_changed_it_since(self, first):
        done = self.replace(first)
        Example.objects.filter(import_run=done).update(state=ReviewState.REJECTED)
        undo(done)

        rows = first.dataset.examples.filter(position__lte=2)
        assert {row.state for row in rows} == {ReviewState.REJECTED}

    def test_goes_to_the_bin_if_the_same_import_had_added_it(self, first):
        done = self.replace(first, chat_lines(4) + chat_lines(4))
        undo(done)

        assert first.dataset.examples.count() == 2

    def test_forgets_an_import_that_was_deleted_since(self, first):
        done = self.replace(first)
        first.delete()
        undo(done)

        assert {row.import_run for row in done.dataset.examples.all()} == {None}


FIELDS = ("split", "state", "extra", "reject_reason")


class TestIsRefused:
    def test_while_the_import_runs(self):
        with pytest.raises(BadEdit, match="still running"):
            undo_import(start(chat_lines(1)), by=None)

    def test_where_nothing_was_added(self):
        with pytest.raises(BadEdit, match="added nothing"):
            undo_import(run(b"nope\n"), by=None)

    def test_a_second_time(self):
        done = run(chat_lines(1))
        undo_import(done, by=None)

        with pytest.raises(BadEdit, match="undone already"):
            undo_import(done, by=None)

    def test_when_there_is_nothing_to_bring_back(self):
        with pytest.raises(BadEdit, match="not been undone"):
            redo_import(run(chat_lines(1)), by=None)


def test_the_same_file_can_be_imported_again_after_its_undo():
    done = run(chat_lines(3))
    undo(done)

    assert run(chat_lines(3), dataset=done.dataset).n_added == 3
