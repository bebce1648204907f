"""Dividing a dataset into a training and a validation part."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Dataset,
    Example,
    ExampleFeatures,
    Split,
    Tag,
)
from datasets_app.services import bulk_edits
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


def split_anew(dataset: Dataset, percent: Any = 20) -> BulkEdit:
    edit = bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.RESPLIT, by=None, params={"percent": percent}
    )
    bulk_edits.run_edit(edit)
    return edit


def validation_of(dataset: Dataset) -> set[int]:
    rows = Example.objects.filter(dataset=dataset, split=Split.VALIDATION)
    return set(rows.values_list("pk", flat=True))


def fill(dataset: Dataset, n: int, **overrides: Any) -> None:
    for _ in range(n):
        make_example(dataset=dataset, **overrides)


def test_the_share_goes_to_validation():
    dataset = make_dataset()
    fill(dataset, 20)

    split_anew(dataset)

    assert len(validation_of(dataset)) == 4


def test_splitting_twice_changes_nothing():
    dataset = make_dataset()
    fill(dataset, 20)
    split_anew(dataset)

    assert split_anew(dataset).n_changed == 0


def test_where_the_rows_were_before_does_not_matter():
    dataset = make_dataset()
    fill(dataset, 20)
    split_anew(dataset)
    chosen = validation_of(dataset)
    dataset.examples.update(split=Split.VALIDATION)
    split_anew(dataset)

    assert validation_of(dataset) == chosen


def test_every_tag_is_in_both_parts():
    dataset = make_dataset()
    tag = Tag.objects.create(team=dataset.team, name="rare")
    fill(dataset, 15)
    fill(dataset, 5, tags=[tag])
    split_anew(dataset)

    assert tag.example_set.filter(split=Split.VALIDATION).count() == 1


def test_a_pinned_row_stays():
    dataset = make_dataset()
    fill(dataset, 19)
    pinned = make_example(dataset=dataset, split=Split.VALIDATION, is_pinned=True)

    split_anew(dataset, 0)

    assert validation_of(dataset) == {pinned.pk}


def test_near_duplicates_stay_together():
    dataset = make_dataset()
    for i in range(10):
        words = " ".join(f"w{i}n{k}" for k in range(40))
        for ending in ("indeed", "surely"):
            turns = [
                {"role": "user", "content": f"Tell me of {words}, will you?"},
                {
                    "role": "assistant",
                    "content": f"It is {words} and {words} {ending}.",
                },
            ]
            make_example(dataset=dataset, messages=turns)
    split_anew(dataset)
    chosen = validation_of(dataset)
    groups = ExampleFeatures.objects.filter(dataset=dataset, pk__in=chosen)

    assert len(chosen) == 4
    assert groups.values("near_group").distinct().count() == 2


def test_rows_of_other_datasets_and_of_the_bin_stay():
    dataset, other = make_dataset(), make_example(split=Split.VALIDATION)
    deleted = make_example(dataset=dataset, split=Split.VALIDATION)
    Example.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    split_anew(dataset, 0)

    left = Example.with_deleted.filter(split=Split.VALIDATION)
    assert set(left.values_list("pk", flat=True)) == {other.pk, deleted.pk}


def test_it_can_be_undone():
    dataset = make_dataset()
    fill(dataset, 10)
    undo = bulk_edits.undo_edit(split_anew(dataset), by=None)
    bulk_edits.run_edit(undo)

    assert validation_of(dataset) == set()


@pytest.mark.parametrize("percent", [-1, 51, "10", None, True, 9.5])
def test_a_share_that_makes_no_sense_is_refused(percent):
    with pytest.raises(bulk_edits.BadEdit):
        split_anew(make_dataset(), percent)


def is_never(_edit: BulkEdit) -> bool:
    return False


class TestThePage:
    def test_splits_and_leads_to_the_edit(self, client: Client):
        dataset = make_dataset()
        fill(dataset, 10)
        client.force_login(make_member(Role.CURATOR, dataset.team))

        answer = client.post(
            reverse("datasets:split", args=[dataset.pk]), {"percent": 10}
        )

        assert answer["Location"] == reverse(
            "datasets:edit", args=[BulkEdit.objects.get().pk]
        )
        assert len(validation_of(dataset)) == 1

    def test_hands_many_rows_to_the_worker(self, client: Client, monkeypatch):
        rung: list[int] = []
        task = "datasets_app.tasks.run_bulk_edit.delay_on_commit"
        monkeypatch.setattr(task, rung.append)
        monkeypatch.setattr(bulk_edits, "is_small", is_never)
        dataset = make_dataset()
        client.force_login(make_member(Role.CURATOR, dataset.team))

        client.post(reverse("datasets:split", args=[dataset.pk]), {"percent": 50})

        assert rung == [BulkEdit.objects.get().pk]

    def test_refuses_a_viewer(self, client: Client):
        dataset = make_dataset()
        client.force_login(make_member(Role.VIEWER, dataset.team))

        answer = client.post(
            reverse("datasets:split", args=[dataset.pk]), {"percent": 10}
        )

        assert answer.status_code == 403
        assert not BulkEdit.objects.exists()
