"""A bulk edit as one step: what it changes, keeps in mind, and takes back."""

import pytest
from django.utils.timezone import now

from datasets_app.models import BulkEdit, BulkKind, Example, ExampleRevision, RunStatus
from datasets_app.services import bulk_edits, runs
from datasets_app.services.bulk_edits import registry
from datasets_app.services.selection import Selection
from tests.datasets_app.bulk_edits.edits import edit_of, undo
from tests.factories import make_dataset, make_example, make_user

pytestmark = pytest.mark.django_db


def tags_of(example) -> set[str]:
    return set(example.tags.values_list("name", flat=True))


@pytest.fixture
def dataset():
    dataset = make_dataset()
    for _n in range(3):
        make_example(dataset=dataset)
    return dataset


def test_a_tag_is_put_on_every_row_that_lacks_it(dataset):
    make_example(dataset=make_dataset())
    first, *_others = dataset.examples.all()
    first.tags.create(team=dataset.team, name="hard")
    first.tags.create(team=dataset.team, name="old")

    edit = edit_of(dataset, BulkKind.TAG, name="hard")

    assert (edit.status, edit.n_done, edit.n_changed) == (RunStatus.FINISHED, 3, 2)
    assert [tags_of(row) for row in dataset.examples.all()] == [
        {"hard", "old"},
        {"hard"},
        {"hard"},
    ]
    assert Example.tags.through.objects.count() == 4


def test_each_change_of_tags_is_kept(dataset):
    user = make_user()
    row = dataset.examples.first()
    row.tags.create(team=dataset.team, name="그림")

    edit_of(
        dataset, BulkKind.TAG, name="hard", by=user, selection=Selection(pks=(row.pk,))
    )
    edit = edit_of(dataset, BulkKind.UNTAG, name="그림", by=user)

    newest, older = ExampleRevision.objects.filter(example_pk=row.pk)[:2]
    assert older.changes == {"tags": [["그림"], ["hard", "그림"]]}
    assert newest.changes == {"tags": [["hard", "그림"], ["hard"]]}
    assert (newest.created_by, newest.bulk_edit) == (user, edit)


def test_undoing_a_tag_leaves_other_tags_and_rows_that_had_it(dataset):
    first, second, _third = dataset.examples.all()
    first.tags.create(team=dataset.team, name="hard")
    edit = edit_of(dataset, BulkKind.TAG, name="hard")
    second.tags.create(team=dataset.team, name="new")

    undone = undo(edit)

    assert [tags_of(row) for row in dataset.examples.all()] == [
        {"hard"},
        {"new"},
        set(),
    ]
    assert undone.n_changed == 2


def test_deleted_rows_are_gone_from_the_dataset_and_undoing_brings_them_back(dataset):
    edit = edit_of(dataset, BulkKind.DELETE)
    assert not dataset.examples.filter(deleted_at=None).exists()
    assert Example.with_deleted.filter(dataset=dataset).count() == 3

    undone = undo(edit)

    assert undone.n_changed == 3
    assert Example.objects.filter(dataset=dataset).count() == 3


def test_an_undo_is_undone(dataset):
    redone = undo(undo(edit_of(dataset, BulkKind.DELETE)))

    assert redone.n_changed == 3
    assert not Example.objects.filter(dataset=dataset).exists()


def test_an_edit_is_undone_once(dataset):
    edit = edit_of(dataset, BulkKind.DELETE)
    undo(edit)
    edit.refresh_from_db()

    with pytest.raises(bulk_edits.BadEdit, match="already"):
        bulk_edits.undo_edit(edit, by=None)


def test_a_killed_edit_goes_on_behind_its_last_piece(dataset, monkeypatch):
    kind = bulk_edits.kind_of(BulkEdit(kind=BulkKind.TAG))
    monkeypatch.setattr(kind, "rows_at_once", 1)
    edit = bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.TAG, by=None, params={"name": "hard"}
    )
    real, left = kind.change, [2]

    def change(*args):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(kind, "change", change)
    with pytest.raises(KeyboardInterrupt):
        bulk_edits.run_edit(edit)
    monkeypatch.setattr(kind, "change", real)
    BulkEdit.objects.update(heartbeat_at="2026-01-01T00:00Z")
    bulk_edits.run_edit(BulkEdit.objects.get())

    edit.refresh_from_db()
    assert (edit.n_changed, edit.n_done, edit.n_attempts) == (3, 3, 2)
    assert ExampleRevision.objects.filter(bulk_edit=edit).count() == 3


def test_a_cancelled_edit_keeps_what_it_did_and_that_can_be_undone(
    dataset, monkeypatch
):
    kind = bulk_edits.kind_of(BulkEdit(kind=BulkKind.DELETE))
    monkeypatch.setattr(kind, "rows_at_once", 1)
    real = kind.next_pks

    def next_pks(edit):
        if edit.n_done == 1:
            runs.cancel(edit)
        return real(edit)

    monkeypatch.setattr(kind, "next_pks", next_pks)
    edit = edit_of(dataset, BulkKind.DELETE)

    assert (edit.status, edit.n_changed) == (RunStatus.CANCELLED, 1)
    assert Example.objects.filter(dataset=dataset).count() == 2
    assert undo(edit).n_changed == 1


def test_rows_that_come_later_are_not_meant(dataset, monkeypatch):
    kind = bulk_edits.kind_of(BulkEdit(kind=BulkKind.TAG))
    monkeypatch.setattr(kind, "rows_at_once", 2)
    real = kind.change

    def change(*args):
        make_example(dataset=dataset)
        return real(*args)

    monkeypatch.setattr(kind, "change", change)

    assert edit_of(dataset, BulkKind.TAG, name="hard").n_changed == 3


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (BulkKind.TAG, {"name": "hard"}),
        (BulkKind.STATE, {"state": "in_review"}),
        (BulkKind.DELETE, {}),
    ],
)
def test_a_row_that_is_in_the_bin_when_its_turn_comes_stays_as_it_is(
    dataset, monkeypatch, kind, params
):
    gone, *_others = dataset.examples.all()
    Example.objects.filter(pk=gone.pk).update(deleted_at=now())
    every = list(Example.with_deleted.values_list("pk", flat=True))
    edit = BulkEdit(dataset=dataset, kind=kind)
    monkeypatch.setattr(
        registry.kind_of(edit),
        "next_pks",
        lambda edit: [pk for pk in every if pk > edit.last_pk],
    )

    edit = edit_of(dataset, kind, **params)

    assert (edit.status, edit.n_done, edit.n_changed) == (RunStatus.FINISHED, 3, 2)
    assert not ExampleRevision.objects.filter(bulk_edit=edit, example_pk=gone.pk)


@pytest.mark.parametrize(
    ("kind", "selection", "n_rows"),
    [
        (BulkKind.TAG, Selection(), 3),
        (BulkKind.TAG, Selection(state="rejected"), 0),
        (BulkKind.TAG, Selection(tag="old"), 1),
        (BulkKind.RESTORE, Selection(), 2),
    ],
)
def test_how_many_rows_are_meant_is_known_before_the_first_is_done(
    dataset, kind, selection, n_rows
):
    make_example(dataset=dataset, deleted_at=now())
    make_example(dataset=dataset, deleted_at=now())
    dataset.examples.first().tags.create(team=dataset.team, name="old")
    edit = BulkEdit(dataset=dataset, kind=kind, selection=selection.as_json())

    assert registry.kind_of(edit).n_rows(edit) == n_rows
