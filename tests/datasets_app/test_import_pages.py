"""The page of an import and what it can be told, and what can be taken away from it."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.timezone import now

from datasets_app import services
from datasets_app.models import ImportRun, OnDuplicate, RunStatus
from datasets_app.services import bulk_edits, import_batches
from datasets_app.services.import_undo import undo_import
from datasets_app.views import import_runs, undoing_imports
from teams_app.models import Role
from tests.datasets_app.import_runs import run, start
from tests.factories import chat_line, chat_lines, make_dataset, make_member, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def dataset(team):
    return make_dataset(team=team)


@pytest.fixture
def viewer(client, team):
    client.force_login(make_member(Role.VIEWER, team))
    return client


@pytest.fixture
def curator(client, team):
    client.force_login(make_member(Role.CURATOR, team))
    return client


def page(client, done: ImportRun, query: str = "") -> str:
    url = reverse("datasets:import_run", args=[done.pk])
    return client.get(url + query).content.decode()


def post(client, verb: str, done: ImportRun, *args):
    return client.post(reverse(f"datasets:import_{verb}", args=[done.pk, *args]))


def downloaded(client, name: str, done: ImportRun) -> bytes:
    response = client.get(reverse(f"datasets:{name}", args=[done.pk]))
    assert "attachment" in response.headers["Content-Disposition"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return b"".join(response.streaming_content)


class TestADraft:
    @pytest.fixture
    def draft(self, dataset) -> ImportRun:
        draft = start(chat_lines(2), dataset=dataset)
        ImportRun.objects.update(status=RunStatus.DRAFT)
        return draft

    def test_leads_to_its_preview(self, curator, draft):
        url = reverse("datasets:import_run", args=[draft.pk])
        preview = reverse("datasets:import_preview", args=[draft.pk])

        assert curator.get(url).headers["Location"] == preview

    def test_tells_who_may_not_start_it_what_it_waits_for(self, viewer, draft):
        assert "somebody is still choosing" in page(viewer, draft)


class TestCancelling:
    def test_leaves_the_import_cancelled_and_offers_to_go_on(self, curator, dataset):
        started = start(chat_lines(2), dataset=dataset)
        post(curator, "cancel", started)
        started.refresh_from_db()

        assert started.status == RunStatus.CANCELLED
        shown = page(curator, started)
        assert "cancelled before it added a row" in shown
        assert "Go on where it stopped" in shown

    def test_an_import_that_has_ended_says_so(self, curator, dataset):
        done = run(chat_lines(2), dataset=dataset)
        url = reverse("datasets:import_cancel", args=[done.pk])

        assert "had ended before" in curator.post(url, follow=True).content.decode()

    @pytest.mark.parametrize("verb", ["cancel", "resume"])
    def test_needs_a_curator(self, verb, viewer, dataset):
        started = start(chat_lines(2), dataset=dataset)

        assert post(viewer, verb, started).status_code == 403
        assert "Cancel the import" not in page(viewer, started)

    @pytest.mark.parametrize("verb", ["cancel", "resume"])
    def test_an_import_of_another_team_is_unknown(self, verb, curator):
        assert post(curator, verb, start(b"")).status_code == 404

    @pytest.mark.usefixtures("_tasks_at_once")
    def test_is_taken_back(self, curator, dataset, django_capture_on_commit_callbacks):
        started = start(chat_lines(2), dataset=dataset)
        services.cancel_import(started)
        with django_capture_on_commit_callbacks(execute=True):
            post(curator, "resume", started)

        started.refresh_from_db()
        assert (started.status, started.n_added) == (RunStatus.FINISHED, 2)


class TestProgress:
    def test_is_told_in_plain_words(self, viewer, dataset):
        started = start(chat_lines(100), dataset=dataset)
        ImportRun.objects.update(
            status=RunStatus.RUNNING,
            n_done=started.n_total // 2,
            n_read=50,
            started_at=now() - timedelta(seconds=10),
            heartbeat_at=now(),
        )
        shown = page(viewer, started)

        assert "about 10\N{NO-BREAK SPACE}s left" in shown or "about 10 s left" in shown
        assert "5 rows a second" in shown
        assert re.search(r"KB of [\d.]+.KB read", shown)

    def test_says_what_to_do_where_no_worker_takes_it_up(self, viewer, dataset):
        started = start(chat_lines(2), dataset=dataset)
        assert "No worker has taken" not in page(viewer, started)

        ImportRun.objects.update(created_at=now() - timedelta(seconds=21))
        assert "celery -A finetune_site worker" in page(viewer, started)


class TestTheReport:
    def test_is_shown_in_pages_found_by_key(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(import_runs, "PER_PAGE", 2)
        done = run(b"nope\n" * 5, dataset=dataset)
        url = reverse("datasets:import_run", args=[done.pk])
        lines, query = [], ""
        for _page in range(3):
            response = viewer.get(url + query)
            shown = response.context["page"]
            lines.append([problem.line_number for problem in shown.rows])
            query = f"?after={shown.after}"

        assert lines == [[1, 2], [3, 4], [5]]
        assert shown.after is None
        back = viewer.get(url, {"before": shown.before})
        assert [p.line_number for p in back.context["page"].rows] == [3, 4]

    @pytest.mark.parametrize("key", ["x", "-1", "9" * 30, "²"])
    def test_a_key_that_is_none_shows_the_first_page(self, key, viewer, dataset):
        done = run(b"nope\n", dataset=dataset)

        assert "The line is not JSON" in page(viewer, done, f"?after={key}")

    def test_takes_as_many_queries_for_many_lines(
        self, viewer, dataset, django_assert_max_num_queries
    ):
        done = run(b"nope\n" * 300 + chat_lines(30) * 2, dataset=dataset)
        with django_assert_max_num_queries(12):
            page(viewer, done)

    def test_names_the_row_that_a_duplicate_equals(self, viewer, dataset):
        done = run(chat_lines(1) * 2, dataset=dataset)
        row = dataset.examples.get()

        assert reverse("admin:datasets_app_example_change", args=[row.pk]) in page(
            viewer, done
        )
        text = downloaded(viewer, "import_report", done).decode("utf-8-sig")
        assert next(csv.reader(io.StringIO(text.splitlines()[1])))[0] == "2"
        assert "row 1." in text

    def test_counts_what_was_replaced(self, viewer, dataset):
        run(chat_lines(3), dataset=dataset)
        done = run(chat_lines(3), dataset=dataset, on_duplicate=OnDuplicate.REPLACE)

        assert "Replaced" in page(viewer, done)


class TestTheRejectedLines:
    FILE = (
        b"\xef\xbb\xbf" + b'  {"a": 1} \r\n'
        b"\n" + chat_line("a", "b") + b"\xff\xfe nope\n" + b'{"messages": []}'
    )

    def test_come_back_byte_for_byte(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
        done = run(self.FILE, dataset=dataset)

        assert downloaded(viewer, "import_rejected", done) == (
            b'\xef\xbb\xbf  {"a": 1} \r\n\xff\xfe nope\n{"messages": []}\n'
        )

    def test_come_whole_however_long_they_are(self, viewer, dataset):
        line = b'{"x": "' + b"x" * 20_000_000 + b'"}\n'
        done = run(chat_lines(1) + line, dataset=dataset)

        assert downloaded(viewer, "import_rejected", done) == line

    def test_are_what_was_recorded_where_the_file_is_gone(self, viewer, dataset):
        done = run(b"nope\n" + chat_lines(1), dataset=dataset)
        Path(done.file.path).unlink()

        assert downloaded(viewer, "import_rejected", done) == b"nope\n"

    def test_of_another_team_are_unknown(self, viewer):
        url = reverse("datasets:import_rejected", args=[run(b"nope\n").pk])

        assert viewer.get(url).status_code == 404


@pytest.mark.usefixtures("_tasks_at_once")
class TestUndoing:
    def undone(self, curator, dataset, callbacks) -> ImportRun:
        done = run(chat_lines(2), dataset=dataset)
        with callbacks(execute=True):
            post(curator, "undo", done)
        return done

    def test_says_how_many_rows_people_changed(self, curator, dataset):
        done = run(chat_lines(2), dataset=dataset)
        url = reverse("datasets:import_undo", args=[done.pk])
        assert "Nobody has changed" in curator.get(url).content.decode()

        row = dataset.examples.first()
        row.messages[-1]["content"] = "By hand."
        services.save_example(row, by=None)
        assert "1 of its rows was changed" in curator.get(url).content.decode()

    def test_counts_only_the_first_of_them(self, curator, dataset, monkeypatch):
        monkeypatch.setattr(undoing_imports, "COUNTED", 1)
        done = run(chat_lines(3), dataset=dataset)
        for row in dataset.examples.all():
            row.messages[-1]["content"] += " By hand."
            services.save_example(row, by=None)

        shown = curator.get(reverse("datasets:import_undo", args=[done.pk]))
        assert "More than 1 of its rows" in shown.content.decode()

    def test_takes_the_rows_out_and_offers_to_bring_them_back(
        self, curator, dataset, django_capture_on_commit_callbacks
    ):
        done = self.undone(curator, dataset, django_capture_on_commit_callbacks)

        assert not dataset.examples.exists()
        shown = page(curator, done)
        assert "2 rows were taken back" in shown
        assert "Bring the rows back" in shown
        assert "Undo the import…" not in shown

    def test_is_taken_back(self, curator, dataset, django_capture_on_commit_callbacks):
        done = self.undone(curator, dataset, django_capture_on_commit_callbacks)
        with django_capture_on_commit_callbacks(execute=True):
            post(curator, "redo", done)

        assert dataset.examples.count() == 2
        assert "Undo the import…" in page(curator, done)

    def test_twice_says_why_not(self, curator, dataset):
        done = run(chat_lines(2), dataset=dataset)
        post(curator, "undo", done)

        assert "undone already" in post(curator, "undo", done).content.decode()
        assert "is being undone" in page(curator, done)

    @pytest.mark.parametrize("verb", ["undo", "redo"])
    def test_needs_a_curator(self, verb, viewer, dataset):
        done = run(chat_lines(2), dataset=dataset)

        assert post(viewer, verb, done).status_code == 403
        assert dataset.examples.count() == 2

    @pytest.mark.parametrize("verb", ["undo", "redo"])
    def test_an_import_of_another_team_is_unknown(self, verb, curator):
        assert post(curator, verb, run(chat_lines(1))).status_code == 404

    def test_what_was_never_undone_cannot_be_brought_back(self, curator, dataset):
        done = run(chat_lines(2), dataset=dataset)
        url = reverse("datasets:import_redo", args=[done.pk])

        assert "not been undone" in curator.post(url, follow=True).content.decode()


class TestWhatComesNext:
    def test_the_rows_of_an_import_are_checked(self, viewer, dataset):
        done = run(chat_lines(2), dataset=dataset)

        assert reverse("datasets:preflight", args=[dataset.pk]) in page(viewer, done)

    def test_an_undone_import_has_no_rows_to_check(self, viewer, dataset):
        done = run(chat_lines(2), dataset=dataset)
        bulk_edits.run_edit(undo_import(done, by=None))

        shown = page(viewer, done)
        assert reverse("datasets:preflight", args=[dataset.pk]) not in shown
        assert "Review in the admin" not in shown
