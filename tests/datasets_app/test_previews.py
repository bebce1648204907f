"""Between the upload and the import: what a person sees and chooses."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import now

from datasets_app import services
from datasets_app.models import Example, ImportRun, Method, RunStatus
from teams_app.models import Membership, Role
from tests.datasets_app.bad_rows import REPLY, USER
from tests.datasets_app.formats.files import (
    ASKED,
    CSV,
    FILES,
    ROW,
    SAID,
    as_json,
    parquet_of,
)
from tests.factories import chat_lines, make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db

PREFERENCE = {
    "input": {"messages": [USER]},
    "preferred_output": [REPLY],
    "non_preferred_output": [{**REPLY, "content": "What?"}],
}


@pytest.fixture
def dataset():
    return make_dataset(name="Card game")


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def draft(dataset, data: bytes, name: str = "rows.jsonl") -> ImportRun:
    return services.store_upload(dataset=dataset, file=io.BytesIO(data), file_name=name)


def preview_of(run: ImportRun) -> str:
    return reverse("datasets:import_preview", args=[run.pk])


def shown(client, run: ImportRun, **query) -> str:
    response = client.get(preview_of(run), query)
    assert response.status_code == 200
    return response.content.decode()


CHOICES = {"format": "chat", "split": "train", "on_duplicate": "skip"}


def test_an_upload_leads_to_its_first_rows_and_adds_nothing(curator, dataset):
    file = SimpleUploadedFile("rows.jsonl", chat_lines(3))
    url = reverse("datasets:import", args=[dataset.pk])
    response = curator.post(url, {"file": file}, follow=True)

    run = ImportRun.objects.get()
    assert response.redirect_chain == [(preview_of(run), 302)]
    assert "all of the first 3 rows" in response.content.decode()
    assert run.created_by == Membership.objects.get(team=dataset.team).user
    assert run.status == RunStatus.DRAFT
    assert not Example.objects.exists()


@pytest.mark.parametrize(("name", "format", "data"), FILES)
def test_every_kind_of_file_is_shown_as_it_would_be_stored(
    curator, dataset, settings, name, format, data
):
    handler = "datasets_app.upload_handler.RoomAwareUploadHandler"
    settings.FILE_UPLOAD_HANDLERS = [handler]  # a file on the disk, as on the site
    url = reverse("datasets:import", args=[dataset.pk])
    file = SimpleUploadedFile(name, data)
    response = curator.post(url, {"file": file}, follow=True)

    (row,) = response.context["rows"]
    assert ImportRun.objects.get().format == format
    assert [turn.content for turn in row.turns] == [ASKED, SAID]
    assert not row.problems


def test_a_file_that_is_none_is_refused_where_the_user_looks(curator, dataset):
    file = SimpleUploadedFile("rows.jsonl", b"PK\x03\x04")
    url = reverse("datasets:import", args=[dataset.pk])
    answer = curator.post(url, {"file": file}).content.decode()

    assert "it is a zip file" in answer
    assert not ImportRun.objects.exists()


@pytest.mark.usefixtures("_tasks_at_once")
def test_starting_rings_the_worker_with_what_was_chosen(
    curator, dataset, django_capture_on_commit_callbacks
):
    run = draft(dataset, chat_lines(3))
    choices = {**CHOICES, "split": "validation", "strict": "on", "on_duplicate": "add"}
    with django_capture_on_commit_callbacks(execute=True):
        response = curator.post(preview_of(run), choices)

    run.refresh_from_db()
    assert response.url == reverse("datasets:import_run", args=[run.pk])
    assert (run.status, run.n_added) == ("finished", 3)
    assert (run.split, run.strict, run.on_duplicate) == ("validation", True, "add")


@pytest.mark.usefixtures("_tasks_at_once")
def test_a_table_is_read_by_the_columns_chosen(
    curator, dataset, django_capture_on_commit_callbacks
):
    run = draft(dataset, b"a,b,c\nHi,Hello,forum\n", "table.csv")
    columns = {"kind": "", "column_user": "a", "column_assistant": "b"}
    with django_capture_on_commit_callbacks(execute=True):
        curator.post(preview_of(run), {**CHOICES, "format": "csv", **columns})

    example = Example.objects.get()
    assert example.messages == [USER, REPLY]
    assert example.extra == {"c": "forum"}


def test_likely_columns_are_chosen_already(curator, dataset):
    page = shown(curator, draft(dataset, CSV, "table.csv"))

    assert '<option value="question" selected>' in page
    assert ROW["question"] in page


def test_a_change_is_seen_at_once(curator, dataset):
    run = draft(dataset, CSV, "table.csv")
    swapped = {"column_user": "answer", "column_assistant": "question"}
    query = {**CHOICES, "format": "csv", "kind": "", **swapped}
    response = curator.get(preview_of(run), query, headers={"HX-Request": "true"})

    first, second = response.context["rows"][0].turns
    assert (first.content, second.content) == (ROW["answer"], ROW["question"])
    assert "<html" not in response.content.decode()


def test_another_format_brings_its_own_columns(curator, dataset):
    run = draft(dataset, as_json(ROW))
    query = {**CHOICES, "format": "csv"}
    response = curator.get(preview_of(run), query, headers={"HX-Request": "true"})

    assert response.context["form"].mapping == {}
    assert "column_user" in response.content.decode()


def test_a_kind_knows_its_columns(curator, dataset):
    run = draft(dataset, b"instruction,output\nHi,Hello\n", "alpaca.csv")
    page = curator.get(preview_of(run))

    assert page.context["form"].mapping == {"kind": "alpaca"}
    assert "column_user" not in page.content.decode()
    assert [turn.content for turn in page.context["rows"][0].turns] == ["Hi", "Hello"]


def test_tasks_in_a_table_have_columns_and_keys_for_their_grader(curator, dataset):
    run = draft(dataset, b"q,points\nHi,5\n", "tasks.csv")
    chosen = {**CHOICES, "format": "csv", "kind": "rft", "column_user": "q"}
    curator.post(preview_of(run), chosen)
    services.run_import(ImportRun.objects.get())

    example = Example.objects.get()
    assert (example.messages, example.extra) == ([USER], {"points": "5"})
    assert example.dataset.method == Method.REINFORCEMENT


def test_without_columns_no_table_is_started(curator, dataset):
    run = draft(dataset, b"a,b\n1,2\n", "table.csv")
    answer = curator.post(preview_of(run), {**CHOICES, "format": "csv", "kind": ""})

    assert "Say which column" in answer.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


def test_parquet_is_read_as_nothing_else(curator, dataset):
    run = draft(dataset, parquet_of(ROW), "table.parquet")

    assert ROW["question"] in shown(curator, run, **CHOICES)


def test_what_would_be_left_out_is_said_with_the_row(curator, dataset):
    page = shown(curator, draft(dataset, chat_lines(1) + b"nope\n"))

    assert "1 of 2 would be left out" in page
    assert "The line is not JSON" in page
    assert "1 of the first 2 rows are of this kind" in page


def test_what_the_rows_say_is_shown_as_text(curator, dataset):
    hostile = "<script>alert(1)</script>"
    row = {
        "messages": [{**USER, "content": hostile}, {**REPLY, hostile: hostile}],
        hostile: hostile,
    }
    page = shown(curator, draft(dataset, as_json(row)))

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_empty_dataset_takes_the_method_of_its_first_rows(dataset):
    run = draft(dataset, as_json(PREFERENCE))
    services.start_upload(run, format=run.format, mapping={})
    services.run_import(run)

    dataset.refresh_from_db()
    assert dataset.method == Method.DPO
    example = Example.objects.get()
    assert example.preferred_output == [REPLY]
    assert example.is_valid


def test_rows_of_another_method_are_refused_before_they_start(curator, dataset):
    make_example(dataset=dataset)
    run = draft(dataset, as_json(PREFERENCE))
    answer = curator.post(preview_of(run), {**CHOICES, "format": "dpo"})

    assert "Import them into a dataset of their own" in answer.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


def test_rows_of_another_method_are_refused_when_they_come_late(dataset):
    """The dataset was empty when the import was started."""
    run = draft(dataset, as_json(PREFERENCE))
    services.start_upload(run, format=run.format, mapping={})
    dataset.refresh_from_db()
    dataset.method = Method.SUPERVISED
    dataset.save()
    make_example(dataset=dataset)
    services.run_import(run)

    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "other_method")
    assert Example.objects.count() == 1


def test_a_dropped_upload_leaves_nothing(
    curator, dataset, django_capture_on_commit_callbacks
):
    run = draft(dataset, chat_lines(1))
    with django_capture_on_commit_callbacks(execute=True):
        response = curator.post(preview_of(run), {"drop": "1"})

    assert response.url == reverse("datasets:import", args=[dataset.pk])
    assert not ImportRun.objects.exists()
    assert not Path(run.file.path).exists()


def test_a_started_import_is_not_dropped_and_not_started_again(curator, dataset):
    run = draft(dataset, chat_lines(1))
    assert services.start_upload(run, format="chat", mapping={})

    assert not services.start_upload(run, format="chat", mapping={})
    services.drop_upload(run)
    assert ImportRun.objects.exists()
    for method in (curator.get, curator.post):
        assert method(preview_of(run)).url == reverse(
            "datasets:import_run", args=[run.pk]
        )


def test_uploads_that_nobody_started_are_forgotten(dataset):
    old, new = draft(dataset, chat_lines(1)), draft(dataset, chat_lines(1))
    long_ago = now() - timedelta(days=8)
    ImportRun.objects.filter(pk=old.pk).update(created_at=long_ago)
    services.drop_old_uploads()

    assert ImportRun.objects.get() == new


def test_a_curator_who_opens_a_draft_goes_on_choosing(curator, dataset):
    run = draft(dataset, chat_lines(1))
    url = reverse("datasets:import_run", args=[run.pk])

    assert curator.get(url).url == preview_of(run)
    curator.force_login(make_member(Role.VIEWER, dataset.team))
    assert curator.get(url).status_code == 200


def test_a_viewer_sees_no_preview(client, dataset):
    client.force_login(make_member(Role.VIEWER, dataset.team))

    assert client.get(preview_of(draft(dataset, chat_lines(1)))).status_code == 403


def test_a_chat_for_a_dataset_of_tasks_is_a_task(dataset):
    dataset.method = Method.REINFORCEMENT
    dataset.save()

    assert draft(dataset, chat_lines(1)).format == "rft"


def test_a_file_that_is_gone_is_said(curator, dataset):
    run = draft(dataset, chat_lines(1))
    Path(run.file.path).unlink()

    assert "gone from the server" in shown(curator, run)
