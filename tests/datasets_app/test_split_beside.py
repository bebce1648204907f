"""A split while others work on the dataset: what is alike never ends in both parts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from datasets_app.models import (
    BulkEdit,
    BulkKind,
    CheckRun,
    Dataset,
    Example,
    ExampleFeatures,
    ExampleRevision,
    Finding,
    RunStatus,
    Split,
)
from datasets_app.services import bulk_edits, checks, runs, save_example
from datasets_app.services.bulk_edits import splits
from datasets_app.services.checks import comparing, features, near
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db
N_ROWS = 20


def turns(n: int, ending: str = "") -> list[dict[str, str]]:
    words = " ".join(f"w{n}n{k}" for k in range(40))
    return [
        {"role": "user", "content": f"Tell me of {words}, will you?"},
        {"role": "assistant", "content": f"It is {words}, and that is all{ending}."},
    ]


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset()
    for n in range(N_ROWS):
        make_example(dataset=dataset, messages=turns(n))
    return dataset


def held_out(dataset: Dataset) -> Example:
    rows = dataset.examples.filter(split=Split.VALIDATION).order_by("pk")
    return rows[0]


def edit_one(dataset: Dataset) -> None:
    """Somebody makes a training row nearly the same as one that is held out."""
    row = dataset.examples.filter(split=Split.TRAIN).order_by("pk")[0]
    row.messages = like(held_out(dataset))
    save_example(row, by=None)


def add_one(dataset: Dataset) -> None:
    """Somebody imports such a row."""
    make_example(dataset=dataset, messages=like(held_out(dataset)))


def like(example: Example) -> list[dict[str, str]]:
    question, answer = example.messages
    return [question, {**answer, "content": answer["content"] + "!"}]


def start_split(dataset: Dataset) -> BulkEdit:
    return bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.RESPLIT, by=None, params={"percent": 20}
    )


def split(dataset: Dataset) -> BulkEdit:
    edit = start_split(dataset)
    bulk_edits.run_edit(edit)
    edit.refresh_from_db()
    return edit


def overlaps(dataset: Dataset) -> list[str]:
    """What a check says that both parts have in common."""
    checks.run_check(checks.request_check(dataset))
    found = Finding.objects.filter(dataset=dataset, code__startswith="overlap")
    return list(found.values_list("code", flat=True))


def after_the_moves(monkeypatch: Any, work: Callable[[], None]) -> None:
    """Let `work` happen once, when the rows have moved."""
    change, todo = splits.Resplit.change, [work]

    def change_then_work(self: Any, edit: BulkEdit, pks: list[int]) -> Any:
        outcome = change(self, edit, pks)
        while todo:
            todo.pop()()
        return outcome

    monkeypatch.setattr(splits.Resplit, "change", change_then_work)


@pytest.mark.parametrize("work", [edit_one, add_one])
def test_a_row_that_came_meanwhile_is_in_the_part_of_what_it_is_like(
    dataset, monkeypatch, work
):
    after_the_moves(monkeypatch, lambda: work(dataset))

    edit = split(dataset)

    assert edit.status == RunStatus.FINISHED
    assert overlaps(dataset) == []
    assert dataset.examples.filter(split=Split.VALIDATION).count() == 3


def test_its_moves_are_taken_back_as_one(dataset, monkeypatch):
    after_the_moves(monkeypatch, lambda: add_one(dataset))
    edit = split(dataset)

    moved = ExampleRevision.objects.filter(bulk_edit=edit)
    assert edit.n_changed == moved.count() == 3
    bulk_edits.run_edit(bulk_edits.undo_edit(edit, by=None))
    assert not dataset.examples.filter(split=Split.VALIDATION).exists()


def test_a_row_that_was_held_out_before_is_moved_and_that_is_undone(
    dataset, monkeypatch
):
    split(dataset)
    row = held_out(dataset)
    after_the_moves(monkeypatch, lambda: add_one(dataset))
    edit = split(dataset)
    row.refresh_from_db()
    assert (row.split, edit.n_changed) == (Split.TRAIN, 1)

    bulk_edits.run_edit(bulk_edits.undo_edit(edit, by=None))
    row.refresh_from_db()
    assert row.split == Split.VALIDATION


def test_it_waits_until_the_check_that_runs_has_ended(dataset, monkeypatch):
    other = checks.request_check(dataset)
    runs.claim(other)
    n_moved = []

    def end_the_other(_seconds: float) -> None:
        n_moved.append(dataset.examples.filter(split=Split.VALIDATION).count())
        runs.end(other, RunStatus.FINISHED)

    monkeypatch.setattr(comparing.time, "sleep", end_the_other)
    split(dataset)

    assert n_moved == [0]
    assert dataset.examples.filter(split=Split.VALIDATION).count() == 4


def test_it_takes_over_from_a_check_whose_process_died(dataset):
    dead = checks.request_check(dataset)
    runs.claim(dead)
    CheckRun.objects.filter(pk=dead.pk).update(heartbeat_at="2020-01-01T00:00Z")

    assert split(dataset).status == RunStatus.FINISHED


def test_it_leaves_a_check_to_a_worker_that_finds_everything_read(dataset):
    split(dataset)
    [left] = CheckRun.objects.all()
    checks.run_check(left)
    left.refresh_from_db()

    assert (left.status, left.n_read) == (RunStatus.FINISHED, N_ROWS)
    assert CheckRun.objects.count() == 1


def test_if_another_check_waits_already_none_is_left(dataset, monkeypatch):
    refresh = comparing.refresh_groups

    def refresh_while_somebody_asks(*arguments: Any, **more: Any) -> None:
        refresh(*arguments, **more)
        if not CheckRun.objects.filter(status=RunStatus.PENDING).exists():
            checks.request_check(dataset)

    monkeypatch.setattr(comparing, "refresh_groups", refresh_while_somebody_asks)
    split(dataset)

    waiting = CheckRun.objects.filter(status=RunStatus.PENDING)
    assert waiting.count() == 1
    assert not CheckRun.objects.filter(status=RunStatus.RUNNING).exists()


def test_if_somebody_cancels_the_check_it_compares_again(dataset, monkeypatch):
    refresh, n_calls = comparing.refresh_groups, []

    def refresh_and_lose(dataset: Dataset, **more: Any) -> None:
        n_calls.append(1)
        if len(n_calls) == 1:
            runs.cancel(CheckRun.objects.get())
        refresh(dataset, **more)

    monkeypatch.setattr(comparing, "refresh_groups", refresh_and_lose)
    monkeypatch.setattr(comparing, "LOOK_SECONDS", 0)

    assert split(dataset).status == RunStatus.FINISHED
    assert not ExampleFeatures.objects.filter(is_compared=False).exists()


def test_cancelled_while_it_compares_it_moves_nothing(dataset, monkeypatch):
    edit, refresh = start_split(dataset), comparing.refresh_groups

    def refresh_and_cancel(*arguments: Any, **more: Any) -> None:
        runs.cancel(edit)
        refresh(*arguments, **more)

    monkeypatch.setattr(comparing, "refresh_groups", refresh_and_cancel)
    bulk_edits.run_edit(edit)

    assert not dataset.examples.filter(split=Split.VALIDATION).exists()
    assert not CheckRun.objects.filter(status=RunStatus.RUNNING).exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_comparison(dataset, monkeypatch):
    compare, in_transaction = splits.compare_rows, []

    def look_and_compare(*arguments: Any, **more: Any) -> None:
        in_transaction.append(connection.in_atomic_block)
        compare(*arguments, **more)

    monkeypatch.setattr(splits, "compare_rows", look_and_compare)
    split(dataset)

    assert in_transaction == [False, False]


def test_a_request_leaves_it_to_a_worker_while_a_check_runs(client, dataset):
    runs.claim(checks.request_check(dataset))
    client.force_login(make_member(Role.CURATOR, dataset.team))
    url = reverse("datasets:split", args=[dataset.pk])

    client.post(url, {"percent": 20})

    assert BulkEdit.objects.get().status == RunStatus.PENDING


def test_a_check_that_lost_its_claim_stores_nothing(dataset, monkeypatch):
    run, signatures_of = checks.request_check(dataset), features.signatures_of

    def lose_the_claim(*arguments: Any) -> Any:
        runs.cancel(run)
        return signatures_of(*arguments)

    monkeypatch.setattr(features, "signatures_of", lose_the_claim)
    checks.run_check(run)

    assert not ExampleFeatures.objects.exists()


def test_groups_are_stored_as_a_whole_or_not_at_all(dataset, monkeypatch):
    for n in range(N_ROWS):
        make_example(dataset=dataset, messages=turns(n, "!"))
    update, run = near._update, checks.request_check(dataset)

    def update_and_die(*arguments: Any) -> None:
        update(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(near, "_update", update_and_die)
    with pytest.raises(KeyboardInterrupt):
        checks.run_check(run)

    assert not ExampleFeatures.objects.exclude(near_group=None).exists()
