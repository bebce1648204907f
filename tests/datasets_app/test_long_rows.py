"""Rows of megabytes: a list and an edit of many hold few of them at a time."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from datasets_app.models import BulkKind, Example, Method
from datasets_app.services import listing
from datasets_app.services.bulk_edits import contents, putting_back, recording
from datasets_app.services.bulk_edits import undo as undoing
from datasets_app.services.bulk_edits.storing import store_examples
from datasets_app.services.long_rows import LONG_TEXT, previews_of, turns_of
from datasets_app.services.selection import Selection
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of, undo
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    dataset = make_dataset()
    for _n in range(3):
        make_example(dataset=dataset)
    return dataset


def make_long(dataset, **more) -> Example:
    turns = [
        {"role": "user", "content": "Long question"},
        {"role": "assistant", "content": "x" * LONG_TEXT},
    ]
    return make_example(dataset=dataset, messages=turns, **more)


@pytest.fixture
def stored(monkeypatch) -> list[int]:
    """How many rows were stored each time, where every row is a long one."""
    monkeypatch.setattr("datasets_app.services.long_rows.MOST_CHARACTERS", 1)
    stored: list[int] = []

    def store(edit, rows, names):
        stored.append(len(rows))
        return store_examples(edit, rows, names)

    monkeypatch.setattr(contents, "store_examples", store)
    monkeypatch.setattr(putting_back, "store_examples", store)
    return stored


def test_an_edit_of_long_rows_is_done_few_at_a_time(dataset, stored):
    edit = edit_of(dataset, BulkKind.SYSTEM_PROMPT, how="set", text="Be kind.")

    assert stored == [1, 1, 1]
    assert (edit.n_done, edit.n_changed, edit.revisions.count()) == (3, 3, 3)


def test_so_is_its_undo_whose_rows_are_read_few_at_a_time_too(
    dataset, stored, monkeypatch
):
    edit = edit_of(dataset, BulkKind.SYSTEM_PROMPT, how="set", text="Be kind.")
    read: list[int] = []

    def read_backwards(revisions):
        read.append(len(revisions))
        return recording.read_backwards(revisions)

    monkeypatch.setattr(undoing, "read_backwards", read_backwards)
    stored.clear()
    undone = undo(edit)

    assert read == stored == [1, 1, 1]
    assert (undone.n_done, undone.n_changed, undone.revisions.count()) == (3, 3, 3)


def test_a_page_of_the_list_loads_no_conversations(dataset):
    (row, *_others) = listing.list_examples(Selection(), dataset).rows

    assert {"messages", "text", "preferred_output"} <= row.get_deferred_fields()


def test_the_turns_of_a_long_row_are_not_read_for_a_preview(dataset):
    short, long = dataset.examples.order_by("pk").first(), make_long(dataset)
    found = previews_of([short.pk, long.pk])

    assert found[short.pk] == tuple(turn["content"] for turn in short.messages)
    assert found[long.pk][0].startswith("Long question\nxxx")
    assert found[long.pk][1] == ""


def test_the_list_shows_long_and_short_rows(client, dataset):
    make_long(dataset)
    client.force_login(make_member(Role.VIEWER, dataset.team))
    url = reverse("admin:datasets_app_example_changelist")
    page = client.get(url, {"dataset": dataset.pk}).content.decode()

    assert "Long question" in page
    assert dataset.examples.order_by("pk").first().messages[1]["content"] in page


def test_a_picture_makes_a_row_long_too(dataset):
    url = "data:image/png;base64," + "A" * LONG_TEXT
    picture = {"type": "image_url", "image_url": {"url": url}}
    parts = [{"type": "text", "text": "What is this?"}, picture]
    row = make_example(dataset=dataset, messages=[{"role": "user", "content": parts}])

    assert previews_of([row.pk]) == {row.pk: ("What is this?", "")}
    assert turns_of([row.pk], 4) == {row.pk: ("What", [])}


def test_of_a_preference_the_better_answer_is_shown():
    row = make_example(
        dataset=make_dataset(method=Method.DPO),
        messages=[{"role": "user", "content": "Hi"}],
        preferred_output=[{"role": "assistant", "content": "Hello!"}],
        non_preferred_output=[{"role": "assistant", "content": "What."}],
    )

    assert previews_of([row.pk]) == {row.pk: ("Hi", "Hello!")}


@pytest.mark.parametrize("page", ["datasets:detail", "datasets:bin"])
def test_pages_that_show_snippets_load_no_conversations(client, dataset, page):
    make_long(dataset)
    if page == "datasets:bin":
        Example.objects.filter(dataset=dataset).update(deleted_at=now())
    client.force_login(make_member(Role.VIEWER, dataset.team))
    response = client.get(reverse(page, args=[dataset.pk]))
    rows = response.context["examples" if page == "datasets:detail" else "rows"]

    assert "Long question" in response.content.decode()
    assert all("messages" in each["row"].get_deferred_fields() for each in rows)
    assert len(rows) == 4
