import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse

from datasets_app import services
from datasets_app.models import Dataset, Example, ImportRun, Split
from teams_app.models import Membership, Role
from tests.factories import (
    chat_line,
    chat_lines,
    make_dataset,
    make_example,
    make_member,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def dataset(team):
    return make_dataset(team=team, name="Card game")


def signed_in(client: Client, role: Role, team) -> Client:
    client.force_login(make_member(role, team))
    return client


@pytest.fixture
def viewer(client, team):
    return signed_in(client, Role.VIEWER, team)


@pytest.fixture
def curator(client, team):
    return signed_in(client, Role.CURATOR, team)


@pytest.fixture
def reviewer(client, team):
    return signed_in(client, Role.REVIEWER, team)


def page(client: Client, name: str, *args, **query) -> str:
    response = client.get(reverse(f"datasets:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def imported(dataset: Dataset, data: bytes, **options) -> ImportRun:
    run = services.start_import(
        dataset=dataset,
        file=io.BytesIO(data),
        file_name="rows.jsonl",
        split=Split.TRAIN,
        **options,
    )
    services.run_import(run)
    return run


class TestTheList:
    def test_shows_counts_by_state_and_the_newest_version(self, viewer, dataset):
        make_example(dataset=dataset, state="approved")
        services.freeze(dataset=dataset, by=None)
        version = services.freeze(dataset=dataset, by=None)
        (row,) = viewer.get(reverse("datasets:list")).context["page"]

        assert (row.n_examples, row.n_approved, row.n_draft) == (1, 1, 0)
        assert (row.newest_version, row.newest_number) == (version.pk, 2)

    def test_of_an_empty_site_says_what_to_do(self, curator):
        assert "No datasets yet" in page(curator, "list")

    def test_takes_the_same_queries_for_many_as_for_one(
        self, viewer, team, all_alive, django_assert_num_queries
    ):
        for _ in range(20):
            make_example(dataset=make_dataset(team=team))
        with django_assert_num_queries(
            6
        ):  # session, user, count, page, roles, signs of life
            page(viewer, "list")


class TestANewDataset:
    def test_is_made_in_the_only_team_without_asking(self, curator, team):
        response = curator.post(
            reverse("datasets:new"), {"team": team.pk, "name": "New", "description": ""}
        )

        dataset = Dataset.objects.get()
        assert (dataset.team, dataset.name) == (team, "New")
        assert response.url == reverse("datasets:import", args=[dataset.pk])
        assert 'type="hidden" name="team"' in page(curator, "new")

    def test_cannot_have_a_name_twice(self, curator, dataset):
        url, data = (
            reverse("datasets:new"),
            {"team": dataset.team_id, "name": "Card game"},
        )
        answer = curator.post(url, data)

        assert "already has a dataset so named" in answer.content.decode()

    def test_cannot_be_in_a_foreign_team(self, curator):
        foreign = make_team()
        curator.post(reverse("datasets:new"), {"team": foreign.pk, "name": "New"})

        assert not Dataset.objects.exists()

    def test_asks_for_the_team_where_there_are_two(self, curator, team):
        user = Membership.objects.get(team=team).user
        Membership.objects.create(user=user, team=make_team(), role=Role.CURATOR)

        assert '<select name="team"' in page(curator, "new")


class TestTheDataset:
    def test_shows_examples_imports_and_versions(self, reviewer, dataset):
        run = imported(dataset, chat_line("What hits?", "An area attack <b>hits</b>."))
        version = services.freeze(dataset=dataset, by=None)
        shown = page(reviewer, "detail", dataset.pk)

        example = Example.objects.get()
        assert "What hits?" in shown
        assert "&lt;b&gt;hits&lt;/b&gt;" in shown
        for name, row in (
            ("admin:datasets_app_example_change", example),
            ("datasets:import_run", run),
            ("datasets:version", version),
        ):
            assert reverse(name, args=[row.pk]) in shown

    def test_offers_what_the_role_may_do(self, client, team, dataset):
        make_example(dataset=dataset)
        services.freeze(dataset=dataset, by=None)
        offers = {
            Role.CURATOR: reverse("datasets:import", args=[dataset.pk]),
            Role.REVIEWER: reverse("datasets:freeze", args=[dataset.pk]),
            Role.LAUNCHER: reverse("jobs:new") + "?version=",
        }
        for role in Role:
            shown = page(signed_in(client, role, team), "detail", dataset.pk)
            for needed, url in offers.items():
                assert (url in shown) == role.includes(needed)

    def test_takes_the_same_queries_for_many_rows_as_for_few(
        self, viewer, dataset, all_alive, django_assert_num_queries
    ):
        for _ in range(12):
            make_example(dataset=dataset)
            imported(dataset, chat_lines(1))
            services.freeze(dataset=dataset, by=None)
        # session, user, dataset, roles, examples, what they say, imports, versions,
        # freeze, check, and of the tokens: sum, shortest and longest, median;
        # signs of life
        with django_assert_num_queries(14):
            page(viewer, "detail", dataset.pk)


class TestAnUpload:
    def upload(self, client, dataset, data: bytes):
        file = SimpleUploadedFile("../rows.jsonl", data)
        url = reverse("datasets:import", args=[dataset.pk])
        return client.post(url, {"file": file})

    def test_of_an_empty_file_is_refused_where_the_user_looks(self, curator, dataset):
        answer = self.upload(curator, dataset, b"").content.decode()

        assert "The file is empty" in answer
        assert not ImportRun.objects.exists()

    def test_without_a_file_is_refused_where_the_user_looks(self, curator, dataset):
        url = reverse("datasets:import", args=[dataset.pk])
        answer = curator.post(url, {"split": "train"}).content.decode()

        assert "This field is required" in answer

    def test_onto_a_full_disk_is_said_where_the_user_looks(
        self, curator, dataset, monkeypatch
    ):
        def no_room(*_args, **_kwargs):
            raise OSError(28, "No space left on device")

        storage = ImportRun._meta.get_field("file").storage
        monkeypatch.setattr(storage, "_save", no_room)
        answer = self.upload(curator, dataset, chat_lines(1)).content.decode()

        assert "No space left on device" in answer
        assert "Make room" in answer

    def test_that_fills_the_disk_is_said_where_the_user_looks(
        self, curator, dataset, monkeypatch, settings
    ):
        settings.FILE_UPLOAD_HANDLERS = [
            "datasets_app.upload_handler.RoomAwareUploadHandler"
        ]

        def no_room(*_args):
            raise OSError(28, "No space left on device")

        handler = TemporaryFileUploadHandler
        monkeypatch.setattr(handler, "receive_data_chunk", no_room)
        response = self.upload(curator, dataset, chat_lines(1))

        assert response.status_code == 200
        assert "No space left on device" in response.content.decode()
        assert not ImportRun.objects.exists()

    @pytest.mark.parametrize("path", ["/sign-in/", "/datasets/new/", "/nowhere"])
    def test_by_a_stranger_is_not_written_to_the_disk(self, path, monkeypatch):
        def write(*_args):
            pytest.fail("a stranger's file was written")

        monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", write)
        stranger = Client(enforce_csrf_checks=True)
        stranger.cookies["csrftoken"] = "a" * 32  # anybody can make one up
        file = SimpleUploadedFile("rows.jsonl", b"x" * 3_000_000)
        response = stranger.post(path, {"file": file})

        assert response.status_code in (403, 404)
        assert not response.wsgi_request.FILES


def waiting(dataset) -> ImportRun:
    return services.start_import(
        dataset=dataset, file=io.BytesIO(b"x"), file_name="x", split=Split.TRAIN
    )


class TestTheImportsPage:
    def test_asks_for_news_while_the_import_is_open(self, viewer, dataset):
        shown = page(viewer, "import_run", waiting(dataset).pk)

        assert 'hx-trigger="every 1s"' in shown
        assert "Waiting for a worker" in shown

    def test_asks_no_more_when_it_is_over(self, viewer, dataset, all_alive):
        run = imported(dataset, chat_lines(2))

        assert "every 1s" not in page(viewer, "import_run", run.pk)

    def test_gives_htmx_only_the_part_that_changes(self, viewer, dataset):
        run = waiting(dataset)
        url = reverse("datasets:import_run", args=[run.pk])
        answer = viewer.get(url, headers={"HX-Request": "true"}).content.decode()

        assert answer.strip().startswith('<div id="import"')

    def test_is_loaded_anew_when_the_import_is_over(self, viewer, dataset):
        run = imported(dataset, chat_lines(2))
        url = reverse("datasets:import_run", args=[run.pk])
        answer = viewer.get(url, headers={"HX-Request": "true"})

        assert answer.headers["HX-Refresh"] == "true"

    def test_sends_htmx_to_the_sign_in_page_as_a_whole(self, client, dataset):
        url = reverse("datasets:import_run", args=[imported(dataset, b"").pk])
        answer = client.get(url, headers={"HX-Request": "true"})

        assert answer.headers["HX-Refresh"] == "true"

    def test_names_each_bad_line_and_escapes_it(self, viewer, dataset):
        run = imported(dataset, b"<script>alert(1)</script>\n")
        shown = page(viewer, "import_run", run.pk)

        assert "The line is not JSON" in shown
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert" not in shown

    def test_says_why_nothing_was_added(self, viewer, dataset):
        run = imported(dataset, b"nope\n", strict=True)

        assert "Nothing was added" in page(viewer, "import_run", run.pk)

    def test_gives_the_report_as_csv_without_formulas(self, viewer, dataset):
        formulas = ['=HYPERLINK("x")', "@SUM", "+1", "-1", "＝1", "＋1", "－1", "＠SUM"]
        run = imported(dataset, "\n".join(formulas).encode())
        response = viewer.get(reverse("datasets:import_report", args=[run.pk]))
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        headings, *rows = csv.reader(io.StringIO(text))

        assert headings[0] == "Line"
        assert rows[0][0] == "1"
        assert [row[-1] for row in rows] == [f"'{each}" for each in formulas]
        assert "attachment" in response.headers["Content-Disposition"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
