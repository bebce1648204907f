"""Curation of examples in the admin: editing, reviewing, finding, tagging."""

import json
from html import unescape

import pytest
from django.urls import reverse

from datasets_app.models import Example, ReviewState, Tag
from datasets_app.services.history import newest_revision
from teams_app.models import Role
from tests.datasets_app.bad_rows import GOOD_LINES, REPLY, USER
from tests.factories import make_dataset, make_example, make_member, make_team

pytestmark = pytest.mark.django_db

LIST = "admin:datasets_app_example_changelist"
CHANGE = "admin:datasets_app_example_change"


@pytest.fixture
def dataset():
    return make_dataset(name="Card game")


@pytest.fixture
def user(dataset):
    return make_member(Role.REVIEWER, dataset.team)


@pytest.fixture
def reviewer(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def form_of(example: Example, **changes) -> dict:
    """What the browser would post from the example's page."""
    return {
        "split": example.split,
        "messages": json.dumps(example.messages, ensure_ascii=False),
        "tools": json.dumps(example.tools) if example.tools else "",
        "functions": "",
        "parallel_tool_calls": "unknown",
        "opened_at": example.updated_at.isoformat(),
        "opened_revision": newest_revision(example),
        "_continue": "1",
        **changes,
    }


def save(client, example: Example, **changes):
    url = reverse(CHANGE, args=[example.pk])
    return client.post(url, form_of(example, **changes), follow=True)


class TestEditing:
    def test_a_change_is_stored_with_all_that_follows_from_it(self, reviewer, dataset):
        example = make_example(dataset=dataset)
        turns = [{"content": "네?", "role": "user"}, {**REPLY, "weight": 1}]
        response = save(reviewer, example, messages=json.dumps(turns))
        example.refresh_from_db()

        assert response.status_code == 200
        assert example.messages == turns
        assert list(example.messages[0]) == ["role", "content"]
        assert example.text == "네?\nHello"
        assert example.updated_by == reviewer.get(reverse(LIST)).wsgi_request.user

    def test_saving_without_a_change_changes_nothing(self, reviewer, dataset):
        for line in GOOD_LINES[3:6]:
            example = make_example(dataset=dataset, **json.loads(line))
            before = example.content_hash
            parallel = {None: "unknown", False: "false"}[example.parallel_tool_calls]
            save(reviewer, example, parallel_tool_calls=parallel)
            example.refresh_from_db()

            assert example.content_hash == before

    def test_an_approved_example_goes_back_to_draft_and_the_page_says_so(
        self, reviewer, dataset
    ):
        example = make_example(dataset=dataset, state=ReviewState.APPROVED)
        said = save(reviewer, example, messages=json.dumps([REPLY])).content.decode()
        example.refresh_from_db()

        assert example.state == ReviewState.DRAFT
        assert "it is a draft again" in said

    def test_a_conversation_with_problems_is_stored_and_they_are_named(
        self, reviewer, dataset
    ):
        example = make_example(dataset=dataset)
        turns = [USER, {"role": "assistant", "content": ""}]
        said = save(reviewer, example, messages=json.dumps(turns)).content.decode()
        example.refresh_from_db()

        assert example.messages == turns
        assert "no version takes this example" in said
        assert "The message is empty." in said
        assert "Message 2" in said

    @pytest.mark.parametrize("key", ["9" * 30, "9" * 5000, "x", "-1", "²", "1\x00"])
    def test_nonsense_for_a_tag_is_refused_with_a_reason(self, reviewer, dataset, key):
        example = make_example(dataset=dataset)
        said = save(reviewer, example, tags=[key]).content.decode()

        assert "is not one of the available choices" in said
        assert not example.tags.exists()

    @pytest.mark.parametrize("value", ["9" * 30, "-1", "x"])
    @pytest.mark.parametrize("field", ["opened_revision", "merge_base", "draft_id"])
    def test_nonsense_in_a_hidden_field_breaks_nothing(
        self, reviewer, dataset, field, value
    ):
        example = make_example(dataset=dataset)
        changes = {"opened_at": "long ago", "opened_state": "other", field: value}

        assert save(reviewer, example, **changes).status_code == 200

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("[{", "not JSON"),
            ("", "required"),
            ("{}", "The messages are a list"),
            ('[{"role": "user", "role": "user"}]', "stands twice"),
            ("[" * 70 + "]" * 70, "nested deeper"),
        ],
    )
    def test_what_is_no_conversation_is_refused_and_kept_as_typed(
        self, reviewer, dataset, typed, said
    ):
        example = make_example(dataset=dataset)
        answer = unescape(save(reviewer, example, messages=typed).content.decode())
        before = example.messages
        example.refresh_from_db()

        assert said in answer
        assert typed in answer
        assert example.messages == before

    def test_a_number_of_any_size_is_kept(self, reviewer, dataset):
        example = make_example(dataset=dataset)
        schema = {"maximum": 2**90}
        tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
        save(reviewer, example, tools=json.dumps(tools))
        example.refresh_from_db()

        assert example.tools == tools
        assert example.is_valid

    def test_the_text_area_holds_the_json_unharmed(self, reviewer, dataset):
        said = '</textarea><script>alert("네")</script>'
        example = make_example(dataset=dataset, messages=[{**REPLY, "content": said}])
        shown = reviewer.get(reverse(CHANGE, args=[example.pk])).content.decode()

        assert "<script>alert" not in shown
        assert json.dumps(said, ensure_ascii=False) in unescape(shown)

    def test_no_script_or_style_is_inline(self, reviewer, dataset):
        example = make_example(dataset=dataset)
        shown = reviewer.get(reverse(CHANGE, args=[example.pk])).content.decode()

        assert "<style" not in shown
        assert "style=" not in shown
        assert "onclick" not in shown
        assert "editor/main.js" in shown

    def test_a_new_example_comes_last_in_its_dataset(self, reviewer, user, dataset):
        make_example(dataset=dataset)
        data = {
            "dataset": dataset.pk,
            "split": "validation",
            "messages": json.dumps([USER, REPLY]),
            "parallel_tool_calls": "unknown",
        }
        reviewer.post(reverse("admin:datasets_app_example_add"), data)
        example = Example.objects.get(position=2)

        assert (example.split, example.created_by) == ("validation", user)
        assert example.is_valid

    def test_an_example_stays_in_its_dataset(self, reviewer, dataset):
        example, other = make_example(dataset=dataset), make_dataset(team=dataset.team)
        save(reviewer, example, dataset=other.pk)
        example.refresh_from_db()

        assert example.dataset == dataset

    def test_a_tag_of_another_team_is_not_put_on_it(self, reviewer, user, dataset):
        other = make_team()
        other.membership_set.create(user=user, role=Role.CURATOR)
        tag = Tag.objects.create(team=other, name="theirs")
        example = make_example(dataset=dataset)
        said = save(reviewer, example, tags=[tag.pk]).content.decode()

        assert "Select a valid choice" in said
        assert not example.tags.exists()

    def test_a_tag_of_another_team_is_not_put_on_a_new_one(
        self, reviewer, user, dataset
    ):
        other = make_team()
        other.membership_set.create(user=user, role=Role.CURATOR)
        data = {
            "dataset": dataset.pk,
            "split": "train",
            "messages": json.dumps([USER, REPLY]),
            "tags": [Tag.objects.create(team=other, name="theirs").pk],
        }
        answer = reviewer.post(reverse("admin:datasets_app_example_add"), data)

        assert "Not a tag of the team" in answer.content.decode()
        assert not Example.objects.exists()


class TestReviewing:
    def test_one_is_saved_and_approved_on_its_page(self, reviewer, dataset):
        example = make_example(dataset=dataset)
        save(reviewer, example, messages=json.dumps([USER, REPLY]), _approve="1")
        example.refresh_from_db()

        assert (example.state, example.messages) == ("approved", [USER, REPLY])

    def test_one_with_problems_is_saved_and_not_approved(self, reviewer, dataset):
        example = make_example(dataset=dataset)
        answer = save(reviewer, example, messages=json.dumps([USER]), _approve="1")
        example.refresh_from_db()

        assert example.state == "draft"
        assert "Not approved" in answer.content.decode()

    def test_a_curator_cannot_review(self, curator, dataset):
        example = make_example(dataset=dataset)
        save(curator, example, _approve="1")
        example.refresh_from_db()

        assert example.state == "draft"


class TestDeleting:
    def test_one_goes_to_the_bin_from_its_page(self, curator, dataset):
        example = make_example(dataset=dataset)
        url = reverse("admin:datasets_app_example_delete", args=[example.pk])
        assert str(example) in curator.get(url).content.decode()
        curator.post(url, {"post": "yes"})

        assert not Example.objects.exists()
        assert Example.with_deleted.get() == example

    def test_nothing_is_deleted_for_good(self, reviewer, dataset):
        row = make_example(dataset=dataset)
        data = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
        reviewer.post(reverse(LIST), data)

        assert Example.objects.exists()
