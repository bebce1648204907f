"""The history of an example in the admin, its restore, and the editor's check."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from datasets_app.checks.mends import MENDS_OF
from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Example,
    ExampleRevision,
    Finding,
    ImportRun,
    Method,
    Severity,
)
from datasets_app.services import save_example
from teams_app.models import Role
from tests.datasets_app.bad_rows import REPLY, USER
from tests.datasets_app.test_admin_examples import form_of
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def example() -> Example:
    return make_example(messages=[USER, REPLY])


@pytest.fixture
def curator(client, example):
    client.force_login(make_member(Role.CURATOR, example.dataset.team))
    return client


def says(example: Example, text: str, by=None) -> None:
    example.messages = [USER, {"role": "assistant", "content": text}]
    save_example(example, by=by)


def history(client, example: Example, **query):
    return client.get(
        reverse("admin:datasets_app_example_history", args=[example.pk]), query
    )


def restore(client, example: Example, revision_pk: int, **data):
    url = reverse("admin:datasets_app_example_restore", args=[example.pk, revision_pk])
    seen = {"seen_at": example.updated_at.isoformat()}
    return client.post(url, {**seen, **data}, follow=True)


def check(client, example: Example, **data):
    url = reverse("admin:datasets_app_example_check", args=[example.pk])
    return client.post(url, {"messages": json.dumps(example.messages), **data})


class TestHistory:
    def test_it_tells_who_changed_which_words(self, curator, example):
        ann = make_member(Role.CURATOR, example.dataset.team, username="ann")
        says(example, "Hello there", by=ann)
        shown = history(curator, example).content.decode()

        assert "ann" in shown
        assert ">added: </span> there</ins>" in shown

    def test_hostile_text_is_only_text(self, curator, example):
        says(example, HOSTILE)
        shown = history(curator, example).content.decode()

        assert HOSTILE not in shown
        assert "&lt;script&gt;" in shown.replace("</ins>", "").replace("<ins>", "")

    def test_a_bulk_edit_is_called_so(self, curator, example):
        edit = BulkEdit.objects.create(dataset=example.dataset, kind=BulkKind.REPLACE)
        says(example, "Bye")
        ExampleRevision.objects.filter(example_pk=example.pk).update(bulk_edit=edit)

        shown = history(curator, example).content.decode()

        assert "bulk edit: find and replace</a>" in shown
        assert reverse("datasets:edit", args=[edit.pk]) in shown

    def test_what_an_import_replaced_leads_to_the_import(self, curator, example):
        run = ImportRun.objects.create(dataset=example.dataset, file_name="rows.jsonl")
        ExampleRevision.objects.create(
            dataset=example.dataset,
            example_pk=example.pk,
            import_run=run,
            changes={"import_run_id": [None, run.pk]},
        )
        shown = history(curator, example).content.decode()

        assert reverse("datasets:import_run", args=[run.pk]) in shown
        assert f"<ins>#{run.pk}</ins>" in shown

    def test_it_goes_on_page_by_page(self, curator, example):
        for n in range(12):
            says(example, f"Answer {n}")
        first = history(curator, example).context
        second = history(curator, example, before=first["older"]).context

        assert (len(first["told"]), len(second["told"])) == (10, 3)
        assert second["older"] is None

    def test_it_takes_the_same_queries_for_many_changes_as_for_one(
        self, curator, example, django_assert_max_num_queries
    ):
        for n in range(9):
            says(example, f"Answer {n}", by=make_member(Role.CURATOR))
        # session, user, roles, example, its team, newest change, changes, users
        with django_assert_max_num_queries(10):
            history(curator, example)

    def test_another_team_sees_none_of_it(self, client, example):
        client.force_login(make_member(Role.OWNER))

        assert history(client, example).status_code == 404


class TestRestoring:
    def test_an_earlier_state_comes_back(self, curator, example):
        first = ExampleRevision.objects.get()
        says(example, "Worse")
        said = restore(curator, example, first.pk).content.decode()
        example.refresh_from_db()

        assert example.messages == [USER, REPLY]
        assert "The earlier state is back" in said

    def test_what_changed_meanwhile_is_not_overwritten(self, curator, example):
        first, seen_at = ExampleRevision.objects.get(), example.updated_at.isoformat()
        says(example, "Newer")
        said = restore(curator, example, first.pk, seen_at=seen_at).content.decode()
        example.refresh_from_db()

        assert example.messages[1]["content"] == "Newer"
        assert "changed this example at" in said

    @pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (None, 404)])
    def test_who_may_not_edit_may_not_restore(self, client, example, role, status):
        team = example.dataset.team if role else None
        client.force_login(make_member(role or Role.OWNER, team))
        says(example, "Now")

        assert restore(client, example, 0).status_code == status
        assert Example.objects.get().messages[1]["content"] == "Now"

    def test_a_change_of_another_row_is_not_taken(self, curator, example):
        other = make_example(dataset=example.dataset)
        theirs = ExampleRevision.objects.get(example_pk=other.pk)

        assert restore(curator, example, theirs.pk).status_code == 404

    def test_it_takes_a_post(self, curator, example):
        url = reverse("admin:datasets_app_example_restore", args=[example.pk, 0])

        assert curator.get(url).status_code == 405


class TestFindings:
    @pytest.fixture
    def finding(self, example) -> Finding:
        return Finding.objects.create(
            dataset=example.dataset,
            example=example,
            code="untrimmed_answer",
            severity=Severity.NOTE,
            message_index=2,
        )

    def page(self, client, example) -> str:
        url = reverse("admin:datasets_app_example_change", args=[example.pk])
        return client.get(url).content.decode()

    def test_they_stand_beside_the_row_with_their_mend(self, curator, example, finding):
        shown = self.page(curator, example)

        assert "Findings of the last check" in shown
        assert "<strong>Message 2</strong>" in shown
        assert f'name="example" value="{example.pk}"' in shown

    def test_who_may_not_edit_is_offered_no_mend(self, client, example, finding):
        client.force_login(make_member(Role.VIEWER, example.dataset.team))
        shown = self.page(client, example)

        assert "Findings of the last check" in shown
        assert 'name="mend"' not in shown

    def test_a_mend_leads_back_to_the_row(self, curator, example):
        example.messages = [USER, {"role": "assistant", "content": " Hello "}]
        save_example(example, by=None)
        url = reverse("datasets:mend", args=[example.dataset_id])
        data = {
            "code": "untrimmed_answer",
            "mend": MENDS_OF["untrimmed_answer"][0],
            "example": example.pk,
            "back": "example",
        }
        answer = curator.post(url, data)

        assert answer["Location"] == reverse(
            "admin:datasets_app_example_change", args=[example.pk]
        )


def test_who_may_only_read_sees_calls_and_both_answers(client):
    call = {"id": "c", "type": "function", "function": {"name": "hp"}}
    row = make_example(
        dataset=make_dataset(method=Method.DPO),
        messages=[{"role": "assistant", "tool_calls": [call]}, USER],
        preferred_output=[{"role": "assistant", "content": "Better"}],
        non_preferred_output=[{"role": "assistant", "content": HOSTILE}],
    )
    client.force_login(make_member(Role.VIEWER, row.dataset.team))
    url = reverse("admin:datasets_app_example_change", args=[row.pk])
    shown = client.get(url).content.decode()

    assert "&quot;name&quot;: &quot;hp&quot;" in shown
    assert "Better" in shown
    assert HOSTILE not in shown
    assert "example-editor" not in shown


def test_only_the_editor_may_show_pictures_of_other_servers(curator, example):
    def images(name: str, *args: int) -> str:
        policy = curator.get(reverse(name, args=args))["Content-Security-Policy"]
        return re.search(r"img-src ([^;]+)", policy)[1]  # type: ignore[index]

    opened = images("admin:datasets_app_example_change", example.pk)
    assert set(opened.split()) == {"'self'", "data:", "https:", "http:"}
    elsewhere = images("admin:datasets_app_example_history", example.pk)
    assert set(elsewhere.split()) == {"'self'", "data:"}


class TestNext:
    def follow(self, client, example: Example, **query) -> str:
        url = reverse("admin:datasets_app_example_change", args=[example.pk])
        data = form_of(example, _next="1")
        del data["_continue"]
        address = f"{url}?{urlencode(query)}" if query else url
        return client.post(address, data)["Location"]

    def test_it_follows_in_the_list_it_was_opened_from(self, curator, example):
        make_example(dataset=example.dataset, split="validation")
        wanted = make_example(dataset=example.dataset)
        query = {"_changelist_filters": f"dataset={example.dataset_id}&split=train"}
        where = self.follow(curator, example, **query)

        assert f"/{wanted.pk}/change/" in where
        assert where.endswith(urlencode(query))

    def test_the_last_one_leads_back_to_the_list(self, curator, example):
        assert "/change/" not in self.follow(curator, example)


class TestChecking:
    def test_problems_are_named_with_their_message(self, curator, example):
        bad = json.dumps([USER, {"role": "assistant", "content": ""}])
        told = check(curator, example, messages=bad).json()

        assert told["problems"][0]["message"] == 2
        assert told["problems"][0]["what"] == "The message is empty."

    def test_tokens_are_counted_for_each_message(self, curator, example):
        tokens = check(curator, example).json()["tokens"]

        assert len(tokens["messages"]) == 2
        assert tokens["total"] == sum(tokens["messages"]) + 3 == example.n_tokens

    def test_arguments_are_held_against_the_schema(self, curator, example):
        call = {"name": "hp", "arguments": '{"n": "many"}'}
        schema = {"properties": {"n": {"type": "integer"}}}
        turn = {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": call}],
        }
        tool = {"type": "function", "function": {"name": "hp", "parameters": schema}}
        told = check(
            curator,
            example,
            messages=json.dumps([USER, turn]),
            tools=json.dumps([tool]),
        ).json()

        (problem,) = told["problems"]
        assert "arguments of “hp” do not fit" in problem["what"]
        assert problem["message"] == 2

    def test_json_that_is_not_finished_is_an_error_of_its_field(self, curator, example):
        told = check(curator, example, tools="[{").json()

        assert list(told["errors"]) == ["tools"]

    @pytest.mark.parametrize(
        "typed",
        [
            '[{"role": "user", "content": "\\ud800"}]',
            '[{"role": "user", "content": "\\u0000"}]',
            '[1, null, [], {"role": {}, "content": {}, "tool_calls": {}}]',
            '[{"role": "user", "weight": 1e400}]',
            "[" * 100,
            "null",
            "\x00",
        ],
    )
    def test_whatever_is_typed_gets_an_answer(self, curator, example, typed):
        for key in ("messages", "preferred_output", "tools", "functions", "extra"):
            told = check(curator, example, **{key: typed}).json()

            assert set(told) == {"errors", "problems", "tokens"}

    def test_the_outputs_of_a_dpo_row_are_counted_on(self, curator, example):
        example.dataset.method = Method.DPO
        example.dataset.save()
        told = check(
            curator,
            example,
            messages=json.dumps([USER]),
            preferred_output=json.dumps([REPLY]),
            non_preferred_output=json.dumps([{"role": "assistant", "content": ""}]),
        ).json()

        assert [each["message"] for each in told["problems"]] == [3]
        assert len(told["tokens"]["messages"]) == 3

    def test_a_new_row_is_checked_for_its_dataset(self, client, curator, example):
        url = reverse("admin:datasets_app_example_check_new")
        data = {"messages": json.dumps([USER, REPLY])}
        own = client.post(url, {**data, "dataset": example.dataset_id})
        foreign = client.post(url, {**data, "dataset": make_dataset().pk})

        assert own.json()["problems"] == []
        assert foreign.status_code == client.post(url, data).status_code == 404

    @pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (None, 404)])
    def test_who_may_not_edit_is_told_nothing(self, client, example, role, status):
        team = example.dataset.team if role else None
        client.force_login(make_member(role or Role.OWNER, team))

        assert check(client, example).status_code == status

    def test_it_takes_a_token_against_forgery(self, example):
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_member(Role.CURATOR, example.dataset.team))

        assert check(client, example).status_code == 403
