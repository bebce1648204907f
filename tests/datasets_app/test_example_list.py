"""The list of a dataset's examples in the admin."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils.http import urlencode

from datasets_app import services
from datasets_app.models import Example, SavedFilter, Tag
from teams_app.models import Role
from tests.datasets_app.bad_rows import CALLING, REPLY, USER
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db

LIST = "admin:datasets_app_example_changelist"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset():
    return make_dataset(name="Card game")


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


@pytest.fixture
def viewer(client, dataset):
    client.force_login(make_member(Role.VIEWER, dataset.team))
    return client


def get(client, dataset, headers=None, **query):
    data = {"dataset": dataset.pk, **query}
    return client.get(reverse(LIST), data, headers=headers)


def shown(client, dataset, **query) -> str:
    return get(client, dataset, **query).content.decode()


def listed(client, dataset, **query) -> list[Example]:
    return get(client, dataset, **query).context["page"].rows


class TestWhichDataset:
    def test_the_only_dataset_is_chosen(self, curator, dataset):
        response = curator.get(reverse(LIST), {"state": "draft"})

        assert response.url == f"{reverse(LIST)}?state=draft&dataset={dataset.pk}"

    def test_several_are_offered_with_their_counts(self, curator, dataset):
        make_example(dataset=make_dataset(team=dataset.team, name="Second"))
        page = curator.get(reverse(LIST)).content.decode()

        assert "Card game" in page
        assert "Second" in page

    @pytest.mark.parametrize("pk", ["x", "9" * 30, "-1", "999"])
    def test_one_that_is_not_there_is_not_found(self, curator, pk):
        assert curator.get(reverse(LIST), {"dataset": pk}).status_code == 404

    def test_another_teams_is_not_found(self, curator):
        assert get(curator, make_dataset()).status_code == 404


class TestFinding:
    @pytest.mark.parametrize("word", ["블레이드", "nether", "Blade", "블"])
    def test_text_is_found_in_korean_and_english(self, viewer, dataset, word):
        found = {**REPLY, "content": "네더 블레이드 (Nether Blade)"}
        example = make_example(dataset=dataset, messages=[found])
        make_example(dataset=dataset)
        services.index_texts()

        assert listed(viewer, dataset, q=word) == [example]

    def test_the_name_of_a_called_tool_is_found(self, viewer, dataset):
        example = make_example(dataset=dataset, messages=[USER, CALLING])

        assert listed(viewer, dataset, q="hp") == [example]

    def test_filters_narrow_the_list_and_stay_chosen(self, viewer, dataset):
        tag = Tag.objects.create(team=dataset.team, name="hard")
        example = make_example(
            dataset=dataset, state="approved", split="validation", tags=[tag]
        )
        make_example(dataset=dataset)
        filters = {"state": "approved", "split": "validation", "tag": "hard"}

        assert listed(viewer, dataset, **filters) == [example]
        page = shown(viewer, dataset, **filters)
        for value in filters.values():
            assert f'<option value="{value}" selected>' in page

    def test_problems_that_rows_have_are_offered(self, viewer, dataset):
        make_example(dataset=dataset, messages=[{"content": "x"}, REPLY])
        page = shown(viewer, dataset)

        assert '<option value="no_role">' in page
        assert '<option value="no_messages">' not in page

    def test_a_search_brings_the_list_alone_and_a_clean_address(self, viewer, dataset):
        make_example(dataset=dataset)
        response = get(viewer, dataset, HTMX, q="question", state="", sort="position")

        assert "<html" not in response.content.decode()
        assert response["HX-Push-Url"] == (
            f"{reverse(LIST)}?dataset={dataset.pk}&q=question"
        )

    def test_a_search_after_signing_out_loads_the_page_anew(self, client, dataset):
        assert get(client, dataset, HTMX, q="question")["HX-Refresh"] == "true"

    def test_keys_that_are_no_filters_are_ignored(self, viewer, dataset):
        example = make_example(dataset=dataset)

        assert listed(viewer, dataset, created_by__password__startswith="a") == [
            example
        ]

    def test_the_list_says_how_many_there_are(self, viewer, dataset):
        make_example(dataset=dataset, state="approved")
        make_example(dataset=dataset)
        page = shown(viewer, dataset, state="approved")

        assert "<strong>1</strong> example" in page
        assert "of 2" in page


class TestRows:
    def test_question_and_last_answer_are_shown(self, viewer, dataset):
        last = {**REPLY, "content": "The last word"}
        make_example(dataset=dataset, messages=[USER, REPLY, USER, last])
        page = shown(viewer, dataset)

        assert "Hi" in page
        assert "The last word" in page
        assert "state--draft" in page

    def test_hostile_text_is_text(self, viewer, dataset):
        attack = "<script>alert(1)</script>"
        make_example(dataset=dataset, messages=[{**USER, "content": attack}, REPLY])

        assert attack not in shown(viewer, dataset, q=attack, tag=attack)

    def test_pages_are_turned(self, viewer, dataset):
        rows = [make_example(dataset=dataset) for _ in range(51)]
        first = get(viewer, dataset).context["page"]

        assert first.rows == rows[:50]
        assert listed(viewer, dataset, after=first.after) == rows[50:]

    def test_a_position_is_gone_to(self, viewer, dataset):
        rows = [make_example(dataset=dataset) for _ in range(4)]

        assert listed(viewer, dataset, at=3) == rows[2:]
        assert listed(viewer, dataset, at=99) == rows  # the last page

    def test_a_viewer_ticks_nothing(self, viewer, dataset):
        make_example(dataset=dataset)

        assert 'name="pks"' not in shown(viewer, dataset)

    def test_a_curator_ticks_rows(self, curator, dataset):
        example = make_example(dataset=dataset)

        assert f'name="pks" value="{example.pk}"' in shown(curator, dataset)

    def test_many_rows_take_the_same_queries_as_one(
        self, viewer, dataset, django_assert_max_num_queries
    ):
        tag = Tag.objects.create(team=dataset.team, name="hard")
        for _ in range(30):
            make_example(dataset=dataset, tags=[tag])
        # session, user, roles, dataset with counts, rows looked at, rows, their tags,
        # count; saved filters; tags, findings, problems, people, imports, versions
        with django_assert_max_num_queries(18):
            shown(viewer, dataset, tag="hard")


class TestNeighbours:
    def test_the_page_of_an_example_leads_on_in_its_list(self, curator, dataset):
        first, other, second = (
            make_example(dataset=dataset, state=state)
            for state in ("approved", "draft", "approved")
        )
        here = {"dataset": dataset.pk, "state": "approved"}
        url = reverse("admin:datasets_app_example_change", args=[first.pk])
        response = curator.get(url, {"_changelist_filters": urlencode(here)})
        after = urlsplit(response.context["neighbours"]["after"])

        assert after.path.endswith(f"/{second.pk}/change/")
        assert parse_qs(after.query)["_changelist_filters"] == [urlencode(here)]
        assert response.context["neighbours"]["before"] == ""


class TestSavedFilters:
    def save(self, client, dataset, name="Mine", query="state=draft&q=blade"):
        url = reverse("admin:datasets_app_example_filter_save", args=[dataset.pk])
        return client.post(url, {"name": name, "query": query}, follow=True)

    def change(self, client, saved, **data):
        url = reverse("admin:datasets_app_example_filter_change", args=[saved.pk])
        return client.post(url, data)

    def test_a_filter_is_kept_and_offered_to_the_team(self, curator, dataset):
        page = self.save(curator, dataset).content.decode()

        assert SavedFilter.objects.get().query == "q=blade&state=draft"
        assert f"?dataset={dataset.pk}&amp;q=blade&amp;state=draft" in page

    def test_only_what_a_selection_knows_is_kept(self, curator, dataset):
        self.save(curator, dataset, query="state=draft&pks=7&password=x&state__in=1")

        assert SavedFilter.objects.get().query == "state=draft"

    def test_the_same_name_replaces_the_filter(self, curator, dataset):
        self.save(curator, dataset)
        self.save(curator, dataset, query="state=approved")

        assert SavedFilter.objects.get().query == "state=approved"

    def test_no_filter_is_not_kept(self, curator, dataset):
        page = self.save(curator, dataset, query="").content.decode()

        assert "Choose a filter" in page
        assert not SavedFilter.objects.exists()

    def test_one_is_renamed_and_deleted(self, curator, dataset):
        saved = SavedFilter.objects.create(team=dataset.team, name="Old", query="q=x")

        self.change(curator, saved, name="New")
        saved.refresh_from_db()
        assert saved.name == "New"

        self.change(curator, saved, delete="1")
        assert not SavedFilter.objects.exists()

    def test_a_name_that_is_taken_is_refused(self, curator, dataset):
        saved = SavedFilter.objects.create(team=dataset.team, name="Old", query="q=x")
        SavedFilter.objects.create(team=dataset.team, name="New", query="q=y")

        self.change(curator, saved, name="New")
        saved.refresh_from_db()
        assert saved.name == "Old"

    def test_a_viewer_keeps_and_changes_none(self, viewer, dataset):
        saved = SavedFilter.objects.create(team=dataset.team, name="Old", query="q=x")

        assert self.save(viewer, dataset).status_code == 403
        assert self.change(viewer, saved, name="New").status_code == 403

    def test_another_teams_are_not_found(self, curator):
        other = make_dataset()
        saved = SavedFilter.objects.create(team=other.team, name="Old", query="q=x")

        assert self.save(curator, other).status_code == 404
        assert self.change(curator, saved, delete="1").status_code == 404
