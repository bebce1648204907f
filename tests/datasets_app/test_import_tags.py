"""The tags of a table become tags of its rows."""

import io

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import ExampleRevision, OnDuplicate, RunStatus, Tag
from datasets_app.services import bulk_edits, import_batches, import_tags
from datasets_app.services.import_undo import undo_import
from datasets_app.services.mending import mend_line
from teams_app.models import Role
from tests.datasets_app.formats.files import ROW, parquet_of
from tests.datasets_app.import_runs import counts, run
from tests.factories import make_dataset, make_member

pytestmark = pytest.mark.django_db

TABLE = 'question,answer,tags\nHi,Hello,"rules, 카드"\nA,B,\nC,D,rules\n'.encode()
TABLE_OF_ONE = b"question,answer,tags\nHi,Hello,new\n"


def tags(dataset) -> dict[int, list[str]]:
    return {
        example.position: sorted(example.tags.values_list("name", flat=True))
        for example in dataset.examples.order_by("position")
    }


def table(data: bytes = TABLE, **options):
    return run(data, format="csv", **options)


def test_rows_of_a_table_have_the_tags_that_stand_beside_them(monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 1)
    done = table()

    assert tags(done.dataset) == {1: ["rules", "카드"], 2: [], 3: ["rules"]}
    assert not done.dataset.examples.exclude(extra=None).exists()


def test_tags_that_the_team_has_are_used(monkeypatch):
    dataset = make_dataset()
    Tag.objects.create(team=dataset.team, name="rules")
    other = Tag.objects.create(team=make_dataset().team, name="카드")
    table(dataset=dataset)

    assert dataset.team.tag_set.count() == 2
    assert not other.example_set.exists()


def test_a_row_that_is_put_in_anothers_place_gets_its_tags_too():
    first = table()
    done = table(TABLE_OF_ONE, dataset=first.dataset, on_duplicate=OnDuplicate.REPLACE)

    assert done.n_replaced == 1
    assert tags(first.dataset)[1] == ["new", "rules", "카드"]
    revision = ExampleRevision.objects.get(import_run=done)
    assert revision.changes["tags"] == [["rules", "카드"], ["new", "rules", "카드"]]


def test_undoing_the_import_takes_off_what_it_put_on():
    first = table()
    done = table(TABLE_OF_ONE, dataset=first.dataset, on_duplicate=OnDuplicate.REPLACE)
    bulk_edits.run_edit(undo_import(done, by=None))

    assert tags(first.dataset)[1] == ["rules", "카드"]


def test_a_column_that_holds_no_tags_makes_no_thousands_of_them(monkeypatch):
    monkeypatch.setattr(import_tags, "MOST_TEAM_TAGS", 3)
    rows = "".join(f"Q{n},A{n},id-{n}\n" for n in range(5))
    done = table(f"question,answer,tags\n{rows}".encode())

    assert done.status == RunStatus.FINISHED
    assert counts(done) == (5, 3, 2, 0)
    assert {each.code for each in done.problems.all()} == {"too_many_team_tags"}
    assert Tag.objects.count() == 3


def test_a_mended_row_has_its_tags():
    long = b"question,answer,tags\nHi,Hello," + b"x" * 51 + b"\n"
    done = table(long)
    problem = done.problems.get()
    assert problem.code == "tag_too_long"

    text = '{"question": "Hi", "answer": "Hello", "tags": "short"}'
    mend_line(problem, text, by=None)
    assert tags(done.dataset) == {1: ["short"]}


def test_the_preview_shows_pictures_and_tags(client):
    dataset = make_dataset()
    client.force_login(make_member(Role.CURATOR, dataset.team))
    picture = b"\x89PNG\r\n\x1a\n" + bytes(20)
    row = {**ROW, "tags": ["rules", "<b>"], "image": {"bytes": picture}}
    upload = services.store_upload(
        dataset=dataset, file=io.BytesIO(parquet_of(row)), file_name="a.parquet"
    )
    page = client.get(reverse("datasets:import_preview", args=[upload.pk]))
    shown = page.content.decode()

    assert '<span class="chip">rules</span><span class="chip">&lt;b&gt;</span>' in shown
    assert '<img src="data:image/png;base64,' in shown
    assert page.context["form"]["column_tags"].value() == "tags"
    assert page.context["form"]["column_image"].value() == "image"


def test_a_kind_with_columns_of_its_own_still_asks_for_pictures_and_tags(client):
    dataset = make_dataset()
    client.force_login(make_member(Role.CURATOR, dataset.team))
    data = b"instruction,output,label\nHi,Hello,rules\n"
    upload = services.store_upload(
        dataset=dataset, file=io.BytesIO(data), file_name="a.csv"
    )
    url = reverse("datasets:import_preview", args=[upload.pk])
    chosen = {"format": "csv", "kind": "alpaca", "column_tags": "label"}
    page = client.get(url, {**chosen, "split": "train", "on_duplicate": "skip"})

    assert '<span class="chip">rules</span>' in page.content.decode()
    assert "column_user" not in page.context["form"].fields
