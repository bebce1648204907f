"""The pages of bulk edits: start, look, see it run, take it back; the bin."""

import pytest
from django.urls import reverse

from datasets_app.models import BulkEdit, BulkKind, Example, RunStatus
from datasets_app.services import bulk_edits
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    dataset = make_dataset()
    for _n in range(3):
        make_example(dataset=dataset)
    return dataset


@pytest.fixture
def curator(client, dataset):
    user = make_member(Role.CURATOR, dataset.team)
    client.force_login(user)
    return user


def new(dataset, **query) -> str:
    return reverse("datasets:edit_new", args=[dataset.pk], query=query)


def post(client, dataset, kind, scope="all", **fields):
    data = {"kind": kind, "scope": scope}
    data |= {name.replace("__", "-"): value for name, value in fields.items()}
    return client.post(new(dataset), data)


def test_a_small_edit_is_done_at_once_and_its_page_says_what_it_did(
    client, dataset, curator
):
    response = post(client, dataset, "tag", edit__name="hard")

    edit = BulkEdit.objects.get()
    assert response.url == reverse("datasets:edit", args=[edit.pk])
    assert edit.created_by == curator
    assert Example.objects.filter(tags__name="hard").count() == 3
    assert "Undo" in client.get(response.url).content.decode()


def test_whoever_came_from_a_list_goes_back_there(client, dataset, curator):
    there = reverse("datasets:detail", args=[dataset.pk])
    response = post(client, dataset, "delete", next=there)

    assert response.url == there
    assert "3 examples changed" in client.get(there).content.decode()


def test_nobody_is_sent_to_another_site(client, dataset, curator):
    response = post(client, dataset, "delete", next="https://evil.example/")

    assert response.url == reverse("datasets:edit", args=[BulkEdit.objects.get().pk])


def test_only_the_ticked_rows_are_meant(client, dataset, curator):
    first = dataset.examples.first()
    other = make_example()
    post(client, dataset, "delete", scope="ticked", pks=[first.pk, other.pk])

    assert set(Example.with_deleted.exclude(deleted_at=None)) == {first}


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_tick_no_row_is_meant(client, dataset, curator, method):
    data = {"kind": "delete", "scope": "ticked"}
    response = getattr(client, method)(new(dataset), data, follow=True)

    assert "Choose rows first" in response.content.decode()
    assert not BulkEdit.objects.exists()


def test_a_large_edit_is_left_to_a_worker(client, dataset, curator, monkeypatch):
    monkeypatch.setattr("datasets_app.services.bulk_edits.running.SMALL_ROWS", 2)
    rung: list[int] = []
    monkeypatch.setattr("datasets_app.tasks.run_bulk_edit.delay_on_commit", rung.append)
    response = post(client, dataset, "delete")

    edit = BulkEdit.objects.get()
    assert (edit.status, rung) == (RunStatus.PENDING, [edit.pk])
    assert "Waiting for a worker" in client.get(response.url).content.decode()


def test_a_preview_changes_nothing_and_marks_what_would_change(
    client, dataset, curator
):
    response = post(
        client,
        dataset,
        "replace",
        edit__find="Answer",
        edit__replace="<b>",
        edit__fields_to_search="text",
        preview="1",
    )

    page = response.content.decode()
    assert "&lt;b&gt;</ins>" in page
    assert "3 rows" in page
    assert not BulkEdit.objects.exists()
    assert not Example.objects.filter(text__contains="<b>").exists()


def test_a_preview_stops_at_a_thousand_rows(client, dataset, curator, monkeypatch):
    monkeypatch.setattr("datasets_app.services.bulk_edits.previewing.MOST", 2)
    response = post(client, dataset, "weight", edit__learnt="last", preview="1")
    assert "Nothing would change" in response.content.decode()

    response = post(
        client, dataset, "system", edit__how="set", edit__text="Hm.", preview="1"
    )
    assert "more than 1,000 rows" in response.content.decode()


def test_a_bad_expression_is_said_where_it_was_typed(client, dataset, curator):
    response = post(
        client,
        dataset,
        "replace",
        edit__find="a(b",
        edit__is_regex="on",
        edit__fields_to_search="text",
    )

    assert "At character 2, “(b”: a “(” is never closed." in response.content.decode()
    assert not BulkEdit.objects.exists()


@pytest.mark.parametrize(
    ("kind", "fields", "role", "status"),
    [
        ("tag", {"edit__name": "x"}, Role.VIEWER, 403),
        ("tag", {"edit__name": "x"}, Role.CURATOR, 302),
        ("state", {"edit__to": "approved"}, Role.CURATOR, 200),
        ("state", {"edit__to": "approved"}, Role.REVIEWER, 302),
        ("purge", {}, Role.LAUNCHER, 403),
        ("purge", {}, Role.OWNER, 302),
        ("undo", {}, Role.OWNER, 404),
    ],
)
def test_each_edit_asks_for_its_role(client, dataset, kind, fields, role, status):
    client.force_login(make_member(role, dataset.team))

    assert post(client, dataset, kind, **fields).status_code == status
    assert BulkEdit.objects.exists() == (status == 302)


@pytest.mark.parametrize("verb", ["undo", "cancel", "resume"])
def test_taking_back_asks_for_the_role_that_the_edit_asked_for(client, dataset, verb):
    edit = edit_of(dataset, BulkKind.STATE, state="approved")
    client.force_login(make_member(Role.CURATOR, dataset.team))

    url = reverse(f"datasets:edit_{verb}", args=[edit.pk])
    assert client.post(url).status_code == 403


def test_an_edit_is_undone_from_its_page(client, dataset, curator):
    edit = edit_of(dataset, BulkKind.DELETE)
    response = client.post(reverse("datasets:edit_undo", args=[edit.pk]), follow=True)

    assert Example.objects.filter(dataset=dataset).count() == 3
    assert "The edit that this takes back" in response.content.decode()


def test_an_edit_is_cancelled_and_goes_on(client, dataset, curator, monkeypatch):
    monkeypatch.setattr(
        "datasets_app.tasks.run_bulk_edit.delay_on_commit",
        lambda pk: bulk_edits.run_edit(BulkEdit.objects.get(pk=pk)),
    )
    edit = bulk_edits.start_edit(dataset=dataset, kind=BulkKind.DELETE, by=None)
    client.post(reverse("datasets:edit_cancel", args=[edit.pk]))
    edit.refresh_from_db()
    assert edit.status == RunStatus.CANCELLED

    client.post(reverse("datasets:edit_resume", args=[edit.pk]))
    edit.refresh_from_db()
    assert (edit.status, edit.n_changed) == (RunStatus.FINISHED, 3)


def test_the_list_of_edits_names_each_and_needs_few_queries(
    client, dataset, curator, django_assert_max_num_queries
):
    for n in range(5):
        edit_of(dataset, BulkKind.TAG, name=f"<tag {n}>")
    with django_assert_max_num_queries(7):
        page = client.get(reverse("datasets:edits", args=[dataset.pk]))

    assert "Tag: &lt;tag 4&gt;" in page.content.decode()


def test_the_bin_shows_deleted_rows_and_gives_them_back(client, dataset, curator):
    edit_of(dataset, BulkKind.DELETE)
    row = dataset.examples(manager="with_deleted").first()
    url = reverse("datasets:bin", args=[dataset.pk])
    shown = client.get(url).content.decode()
    post(client, dataset, "restore", scope="ticked", pks=[row.pk])

    assert row.messages[0]["content"] in shown
    assert "Delete all for good" not in shown
    assert list(Example.objects.filter(dataset=dataset)) == [row]
