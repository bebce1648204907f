"""Rows that the dataset has already: left out, added once more, or put in its place."""

import json

import pytest

from datasets_app.models import (
    Example,
    ExampleRevision,
    ImportRun,
    OnDuplicate,
    ReviewState,
    Split,
)
from datasets_app.services import import_batches, import_duplicates
from tests.datasets_app.import_runs import counts, run
from tests.factories import chat_line, chat_lines, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> ImportRun:
    return run(chat_lines(3))


def again(first: ImportRun, **options) -> ImportRun:
    data = options.pop("data", chat_lines(4))
    return run(data, dataset=first.dataset, **options)


def listed(done: ImportRun) -> list[tuple[int, int]]:
    return list(done.duplicates.values_list("line_number", "example__position"))


def test_a_row_left_out_is_listed_with_the_one_it_equals(first):
    done = again(
        first, data=b"\n" + chat_lines(4) + chat_line("Question 4?", "Answer 4.")
    )

    assert counts(done) == (5, 1, 0, 4)
    assert listed(done) == [(2, 1), (3, 2), (4, 3), (6, 4)]


def test_only_the_first_duplicates_of_a_file_are_listed(first, monkeypatch):
    monkeypatch.setattr(import_duplicates, "MAX_LISTED", 2)
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 1)
    done = again(first)

    assert done.n_duplicate == 3
    assert len(listed(done)) == 2


def test_a_row_may_be_added_once_more(first):
    done = again(first, on_duplicate=OnDuplicate.ADD, data=chat_lines(3) * 2)

    assert counts(done) == (6, 6, 0, 0)
    assert first.dataset.examples.count() == 9


def test_a_replaced_row_takes_over_the_split_and_goes_back_to_draft(first):
    first.dataset.examples.update(state=ReviewState.REJECTED, reject_reason="no")
    by = make_user()
    done = again(first, on_duplicate=OnDuplicate.REPLACE, split=Split.VALIDATION, by=by)

    assert (*counts(done), done.n_replaced) == (4, 1, 0, 0, 3)
    assert first.dataset.examples.count() == 4
    row = first.dataset.examples.get(position=1)
    assert (row.split, row.state, row.reject_reason) == ("validation", "draft", "")
    assert (row.import_run, row.updated_by) == (done, by)


def with_extra(value: object) -> bytes:
    return json.dumps(json.loads(chat_lines(1)) | {"extra": value}).encode() + b"\n"


def test_a_replaced_row_takes_over_the_further_keys(first):
    data = with_extra({"source": "wiki", "big": 2**70})
    Example.objects.filter(dataset=first.dataset, position=1).update(extra={"a": 1})
    again(first, on_duplicate=OnDuplicate.REPLACE, data=data)

    row = first.dataset.examples.get(position=1)
    assert row.extra == run(data).dataset.examples.get().extra
    assert "wiki" in str(row.extra)


def test_a_row_that_is_replaced_by_the_same_keeps_its_review(first):
    first.dataset.examples.update(state=ReviewState.APPROVED)
    again(first, on_duplicate=OnDuplicate.REPLACE)

    states = first.dataset.examples.order_by("position").values_list("state", flat=True)
    assert list(states) == ["approved"] * 3 + ["draft"]


def test_what_a_replaced_row_was_stays_in_its_history(first):
    by = make_user()
    done = again(first, on_duplicate=OnDuplicate.REPLACE, split=Split.VALIDATION, by=by)
    row = first.dataset.examples.get(position=2)
    revision = ExampleRevision.objects.get(example_pk=row.pk)

    assert revision.changes == {
        "split": ["train", "validation"],
        "import_run_id": [first.pk, done.pk],
    }
    assert (revision.import_run, revision.created_by) == (done, by)
    assert not ExampleRevision.objects.filter(
        example_pk=first.dataset.examples.get(position=4).pk
    ).exists()


def test_of_lines_with_the_same_content_the_last_replaces():
    data = b"".join(with_extra({"source": name}) for name in ("one", "two", "three"))
    done = run(data, on_duplicate=OnDuplicate.REPLACE)

    assert (done.n_added, done.n_replaced) == (1, 2)
    assert "three" in str(done.dataset.examples.get().extra)


def test_a_batch_of_duplicates_takes_a_fixed_number_of_queries(
    first, django_assert_max_num_queries
):
    with django_assert_max_num_queries(40):
        again(first, on_duplicate=OnDuplicate.REPLACE, data=chat_lines(900))
