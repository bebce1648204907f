"""A row as one JSON text: out of the form's fields, and into them again."""

import json
from typing import Any

import pytest
from django.urls import reverse

from datasets_app.jsonl import BadLine
from datasets_app.models import Example, Method
from datasets_app.whole_rows import record_of, whole_text
from teams_app.models import Role
from tests.datasets_app.bad_rows import REPLY, USER
from tests.datasets_app.test_admin_examples import form_of
from tests.factories import make_dataset, make_example, make_member

CHAT = {"messages": [USER, REPLY]}
TOOLS = [{"type": "function", "function": {"name": "hp"}}]
CHANGE = "admin:datasets_app_example_change"


@pytest.mark.parametrize(
    ("row", "method"),
    [
        (CHAT, Method.SUPERVISED),
        ({**CHAT, "tools": TOOLS, "parallel_tool_calls": False}, Method.SUPERVISED),
        ({**CHAT, "source": "forum", "n": 12345678901234567890}, Method.SUPERVISED),
        ({"messages": [{**USER, "id": 7}, REPLY]}, Method.SUPERVISED),
        ({"messages": [{"role": "developer", "content": "x"}]}, Method.SUPERVISED),
        ({"messages": [{"role": "developer", "content": "x"}]}, Method.REINFORCEMENT),
        (
            {
                "input": {"messages": [USER], "tools": TOOLS, "origin": "a"},
                "preferred_output": [REPLY],
                "non_preferred_output": [{**REPLY, "score": 1}],
                "source": "forum",
            },
            Method.DPO,
        ),
    ],
    ids=["chat", "tools", "further", "of messages", "developer", "task", "preference"],
)
def test_a_row_is_shown_as_its_file_would_have_it(row, method):
    text = whole_text(record_of(json.dumps(row), method), method)

    assert json.loads(text) == row
    assert record_of(text, method) == record_of(json.dumps(row), method)


def test_what_no_line_has_a_place_for_is_not_lost_silently():
    note_of_no_message = {"messages": {"9": {"id": 7}}}
    with pytest.raises(BadLine) as caught:
        whole_text({**CHAT, "extra": note_of_no_message})

    assert caught.value.problem.code == "no_whole_row"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("[]", "not_object"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"messages": [], "weight": 1}', "extra_key"),
        ('{"messages": [], "parallel_tool_calls": 1}', "parallel_not_boolean"),
        ('{"messages": "\ud800"}', "not_utf8"),
    ],
)
def test_what_is_no_row_is_refused(text, code):
    with pytest.raises(BadLine) as caught:
        record_of(text)

    assert caught.value.problem.code == code


@pytest.fixture
def example(db) -> Example:
    return make_example(messages=[USER, REPLY], extra={"source": "forum"})


@pytest.fixture
def curator(client, example):
    client.force_login(make_member(Role.CURATOR, example.dataset.team))
    return client


def save(client, example: Example, text: str):
    url = reverse(CHANGE, args=[example.pk])
    return client.post(url, form_of(example, whole_row=text))


def ask(client, example: Example, **data: Any) -> dict[str, Any]:
    url = reverse("admin:datasets_app_example_check", args=[example.pk])
    answer = client.post(url, data)
    assert answer.status_code == 200
    return answer.json()


def test_its_text_is_stored_in_the_place_of_the_fields(curator, example):
    better = {"role": "assistant", "content": "Better."}
    row = {"messages": [USER, better], "tools": TOOLS, "source": "chat"}
    save(curator, example, json.dumps(row))
    example.refresh_from_db()

    assert example.messages == [USER, better]
    assert (example.tools, example.extra) == (TOOLS, {"source": "chat"})


def test_a_part_that_the_text_leaves_out_is_gone(curator, example):
    save(curator, example, json.dumps(CHAT))
    example.refresh_from_db()

    assert example.extra is None


def test_a_text_that_is_no_row_is_refused_with_the_reason(curator, example):
    answer = save(curator, example, '{"messages": [').content.decode()
    stored = Example.objects.get()

    assert "The line is not JSON" in answer
    assert r"\u0022wholeRow\u0022" not in answer
    assert '"wholeRow": "{\\"messages\\": ["' in answer  # given back as it was typed
    assert stored.extra == {"source": "forum"}


def test_the_editor_asks_for_the_text_and_for_the_fields_again(curator, example):
    asked = ask(
        curator,
        example,
        whole="1",
        messages=json.dumps(example.messages),
        extra='{"source": "forum"}',
    )
    assert json.loads(asked["whole"]) == {**CHAT, "source": "forum"}

    fields = ask(curator, example, whole_row=asked["whole"])["fields"]
    assert json.loads(fields["messages"]) == [USER, REPLY]
    assert json.loads(fields["extra"]) == {"source": "forum"}
    assert (fields["tools"], fields["parallel_tool_calls"]) == ("", "unknown")


def test_the_text_is_checked_while_it_is_typed(curator, example):
    row = {"messages": [USER, {"role": "robot", "content": "x"}]}
    answer = ask(curator, example, whole_row=json.dumps(row))

    assert answer["problems"][0]["message"] == 2
    assert answer["tokens"]["total"] > 0


def test_a_text_that_is_no_row_is_said_while_it_is_typed(curator, example):
    answer = ask(curator, example, whole_row="{")

    assert "not JSON" in answer["errors"]["whole_row"][0]
    assert "fields" not in answer


def test_fields_that_are_no_json_make_no_text(curator, example):
    answer = ask(curator, example, whole="1", messages="[", extra="")

    assert "whole" not in answer
    assert "not JSON" in answer["errors"]["messages"][0]


def test_a_conflict_keeps_what_the_text_said(curator, example):
    posted = form_of(example, whole_row=json.dumps({"messages": [USER]}))
    example.messages = [REPLY]
    example.save()
    page = curator.post(reverse(CHANGE, args=[example.pk]), posted).content.decode()

    assert 'name="merge_base"' in page
    assert 'name="whole_row"' not in page


def test_a_new_row_is_written_as_one_text(curator, example):
    dataset = make_dataset(team=example.dataset.team, method=Method.DPO)
    row = {
        "input": {"messages": [USER]},
        "preferred_output": [REPLY],
        "non_preferred_output": [REPLY],
    }
    url = reverse("admin:datasets_app_example_add")
    posted = {"dataset": dataset.pk, "split": "train", "whole_row": json.dumps(row)}
    curator.post(url, posted)

    assert dataset.examples.get().preferred_output == [REPLY]
