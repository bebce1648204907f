"""The list of versions, a version's page, its files, and a new dataset from it."""

import pytest
from django.urls import reverse

from datasets_app import services, tasks
from datasets_app.models import (
    Dataset,
    DatasetVersion,
    Example,
    ImportRun,
    Method,
    Split,
)
from datasets_app.services import version_lines
from datasets_app.views import versions
from teams_app.models import Role
from tests.factories import (
    chat_lines,
    make_dataset,
    make_example,
    make_job,
    make_member,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    return make_dataset(name="Card game")


@pytest.fixture
def version(dataset):
    make_example(dataset=dataset)
    make_example(dataset=dataset, split=Split.VALIDATION)
    return services.freeze(dataset=dataset, by=None, note="first")


@pytest.fixture
def viewer(client, dataset):
    client.force_login(make_member(Role.VIEWER, dataset.team))
    return client


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def page(client, name: str, *args, **query) -> str:
    response = client.get(reverse(f"datasets:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


class TestTheList:
    def test_tells_note_rows_and_rule(self, viewer, version, dataset):
        services.freeze(dataset=dataset, by=None)
        shown = page(viewer, "versions", dataset.pk)

        assert "first" in shown
        assert "valid, not rejected" in shown
        newest = dataset.versions.first()
        assert reverse("datasets:version_diff", args=[newest.pk]) in shown

    def test_goes_on_behind_a_page(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(versions, "VERSIONS_PER_PAGE", 2)
        for number in (1, 2, 3):
            make_version(dataset=dataset, number=number)
        assert 'href="?before=2"' in page(viewer, "versions", dataset.pk)
        last = page(viewer, "versions", dataset.pk, before=2)

        assert ">v1<" in last
        assert ">v2<" not in last
        assert 'href="?before=' not in last

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²"])
    def test_takes_no_nonsense(self, viewer, version, dataset, before):
        assert ">v1<" in page(viewer, "versions", dataset.pk, before=before)


class TestThePage:
    def test_shows_hashes_rule_and_jobs(self, viewer, version):
        model = "ft:base:team:v1:a1"
        job = make_job(dataset_version=version, fine_tuned_model=model)
        shown = page(viewer, "version", version.pk)

        assert version.training_sha256 in shown
        assert version.validation_sha256 in shown
        assert "every valid row that was not rejected" in shown
        assert reverse("jobs:detail", args=[job.pk]) in shown
        assert model in shown

    @pytest.mark.parametrize("split", list(Split))
    def test_leads_to_the_examples_of_a_part(self, viewer, version, split):
        shown = page(viewer, "version", version.pk, split=split)

        for example in Example.objects.all():
            change = reverse("admin:datasets_app_example_change", args=[example.pk])
            assert (change in shown) == (example.split == split)

    def test_shows_what_is_said_on_each_line(self, viewer, version):
        Example.objects.update(messages=[])  # the frozen bytes know it still
        context = viewer.get(reverse("datasets:version", args=[version.pk])).context

        [row] = context["rows"]
        assert row.question.startswith("Question ")
        assert row.answer.startswith("Answer ")

    def test_shows_the_better_answer_of_a_preference(self, viewer, dataset):
        Dataset.objects.filter(pk=dataset.pk).update(method=Method.DPO)
        make_example(
            dataset=Dataset.objects.get(pk=dataset.pk),
            messages=[{"role": "user", "content": "Hi"}],
            preferred_output=[{"role": "assistant", "content": "Hello!"}],
            non_preferred_output=[{"role": "assistant", "content": "What."}],
        )
        version = services.freeze(dataset=dataset, by=None)
        shown = page(viewer, "version", version.pk)

        assert "<td>Hi</td>" in shown
        assert "<td>Hello!</td>" in shown

    def test_reads_no_long_line_and_no_lost_file(self, viewer, version, monkeypatch):
        monkeypatch.setattr(version_lines, "MOST_BYTES", 10)
        assert "<td>–</td>" in page(viewer, "version", version.pk)
        monkeypatch.undo()
        version.training_file.storage.delete(version.training_file.name)
        assert "<td>–</td>" in page(viewer, "version", version.pk)

    def test_begins_at_the_line_asked_for(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(versions, "PER_PAGE", 2)
        rows = [make_example(dataset=dataset) for _ in range(6)]
        version = services.freeze(dataset=dataset, by=None)
        url = reverse("datasets:version", args=[version.pk])
        context = viewer.get(url, {"line": 3}).context

        assert [row.example for row in context["rows"]] == rows[2:4]
        assert (context["previous_line"], context["next_line"]) == (1, 5)
        assert viewer.get(url, {"line": 5}).context["next_line"] is None

    @pytest.mark.parametrize("line", ["0", "-5", "x", "9" * 30, "1e3", "²"])
    def test_takes_no_nonsense_for_a_line(self, viewer, version, line):
        page(viewer, "version", version.pk, line=line, split="secret")

    def test_tells_what_it_is_identical_to(self, viewer, version):
        again = services.freeze(dataset=version.dataset, by=None)

        assert "identical" in page(viewer, "version", again.pk)
        assert "identical" not in page(viewer, "version", version.pk)

    def test_tells_which_rows_changed_or_are_gone(self, viewer, dataset):
        changed, gone, binned = (make_example(dataset=dataset) for _ in range(3))
        version = services.freeze(dataset=dataset, by=None)
        changed.messages = [{"role": "assistant", "content": "Other"}]
        services.save_example(changed, by=None)
        gone.delete()
        Example.objects.filter(pk=binned.pk).update(deleted_at=version.created_at)
        shown = page(viewer, "version", version.pk)

        assert shown.count("changed since") == 1
        assert shown.count("deleted since") == 2

    @pytest.mark.parametrize("split", list(Split))
    def test_gives_its_exact_bytes(self, viewer, version, split):
        url = reverse("datasets:version_file", args=[version.pk, split])
        response = viewer.get(url)

        with version.file_of(split).open("rb") as file:
            assert b"".join(response.streaming_content) == file.read()
        name = f"Card-game-v1.{split}.jsonl"
        assert name in response.headers["Content-Disposition"]
        assert "attachment" in response.headers["Content-Disposition"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    def test_has_no_file_of_a_split_that_is_not_there(self, viewer, dataset):
        make_example(dataset=dataset)
        version = services.freeze(dataset=dataset, by=None)

        for split in ("validation", "secret-key"):
            url = reverse("datasets:version_file", args=[version.pk, split])
            assert viewer.get(url).status_code == 404

    def test_takes_the_same_queries_for_many_rows(
        self, viewer, dataset, django_assert_num_queries
    ):
        for _ in range(20):
            make_job(
                dataset_version=make_version(dataset=dataset, number=9 + _),
                team=dataset.team,
            )
            make_example(dataset=dataset)
        version = services.freeze(dataset=dataset, by=None)
        # session, user, version, roles, same content, others, rows, jobs, and of the
        # workers: when they were last heard, and what is to ring them
        with django_assert_num_queries(10):
            page(viewer, "version", version.pk)


class TestANewDatasetFromAVersion:
    def copy(self, client, version, name="Copy"):
        url = reverse("datasets:version_copy", args=[version.pk])
        return client.post(url, {"name": name})

    def fill(self) -> None:
        for run in ImportRun.objects.all():
            tasks.run_import(run.pk)

    def test_has_the_rows_as_they_were_each_in_its_part(self, curator, version):
        frozen = {row.split: row.content_hash for row in version.rows.all()}
        Example.objects.update(content_hash="changed since")
        response = self.copy(curator, version)
        self.fill()

        copied = Dataset.objects.get(name="Copy")
        first = copied.import_runs.earliest("pk")
        assert response.url == reverse("datasets:import_run", args=[first.pk])
        hashes = dict(copied.examples.values_list("split", "content_hash"))
        assert hashes == frozen

    def test_keeps_a_row_that_is_there_twice(self, curator, dataset):
        version = make_version(dataset=dataset, training=chat_lines(1) * 2)
        self.copy(curator, version)
        self.fill()

        assert Dataset.objects.get(name="Copy").examples.count() == 2

    def test_leaves_the_version_its_bytes(
        self, curator, version, django_capture_on_commit_callbacks
    ):
        self.copy(curator, version)
        with django_capture_on_commit_callbacks(execute=True):
            ImportRun.objects.all().delete()

        assert version.training_file.storage.exists(version.training_file.name)

    def test_is_filled_where_no_file_has_two_names(self, curator, version, monkeypatch):
        def refuse(*_args):
            raise OSError("no links here")

        monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
        self.copy(curator, version)
        self.fill()

        assert Dataset.objects.get(name="Copy").examples.count() == 2

    def test_cannot_have_a_name_that_is_taken(self, curator, version):
        answer = self.copy(curator, version, name="Card game")

        assert "already has a dataset so named" in answer.content.decode()
        assert not ImportRun.objects.exists()

    def test_is_made_by_curators_only(self, viewer, version):
        assert self.copy(viewer, version).status_code == 403
        copy = reverse("datasets:version_copy", args=[version.pk])
        assert copy not in page(viewer, "version", version.pk)
        assert DatasetVersion.objects.count() == 1
