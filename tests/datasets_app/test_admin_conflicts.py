"""Two people edit one example at once: no work is lost, and one of them chooses."""

import json

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.admin.conflicts import fingerprint
from datasets_app.models import Example, Tag
from teams_app.models import Role
from tests.datasets_app.test_admin_examples import CHANGE, form_of
from tests.factories import make_example, make_member

pytestmark = pytest.mark.django_db


def turn(role: str, text: str) -> dict:
    return {"role": role, "content": text}


OLD = [turn("system", "Be kind."), turn("user", "Hi"), turn("assistant", "Hello")]


@pytest.fixture
def example() -> Example:
    return make_example(messages=OLD)


@pytest.fixture
def curator(client, example):
    client.force_login(make_member(Role.CURATOR, example.dataset.team, username="me"))
    return client


def theirs(example: Example, n: int = 2, text: str = "Theirs", **fields) -> None:
    """What ann stores while my form is open."""
    messages = [*example.messages]
    messages[n] = {**messages[n], "content": text}
    changed = Example.objects.get(pk=example.pk)
    for name, value in {"messages": messages, **fields}.items():
        setattr(changed, name, value)
    ann = make_member(Role.CURATOR, example.dataset.team)
    services.save_example(changed, by=ann)


def mine(example: Example, n: int = 2, text: str = "Mine", **fields) -> dict:
    """My form, as it is posted."""
    messages = [*example.messages]
    messages[n] = {**messages[n], "content": text}
    return form_of(example, messages=json.dumps(messages), **fields)


def post(client, example: Example, data: dict):
    return client.post(reverse(CHANGE, args=[example.pk]), data)


def chosen(page, **choices) -> dict:
    """What the conflict page posts."""
    context = page.context
    return {
        **dict(context["typed"]),
        "opened_at": context["original"].updated_at.isoformat(),
        "merge_base": context["base_revision"],
        "_continue": "1",
        **{each.name: each.proposed for each in context["choices"]},
        **choices,
    }


def texts(example: Example) -> list[str]:
    example.refresh_from_db()
    return [message["content"] for message in example.messages]


def test_the_second_sees_both_changes_and_nothing_is_lost(curator, example):
    opened = mine(example, text="Mine <b>")
    theirs(example)
    said = post(curator, example, opened).content.decode()

    assert texts(example)[2] == "Theirs"
    assert "changed this example at" in said
    assert "added: </span>Mine &lt;b&gt;</ins>" in said
    assert "added: </span>Theirs</ins>" in said


@pytest.mark.parametrize(("who", "kept"), [("mine", "Mine"), ("theirs", "Theirs")])
def test_who_is_second_chooses(curator, example, who, kept):
    opened = mine(example)
    theirs(example)
    page = post(curator, example, opened)
    (choice,) = page.context["choices"]
    answer = post(curator, example, chosen(page, **{choice.name: who}))

    assert answer.status_code == 302
    assert texts(example)[2] == kept


def test_changes_of_different_turns_go_together_unasked(curator, example):
    opened = mine(example, n=0, text="Be short.")
    theirs(example, n=2)
    page = post(curator, example, opened)
    post(curator, example, chosen(page))

    assert {choice.who for choice in page.context["choices"]} == {"mine", "theirs"}
    assert texts(example) == ["Be short.", "Hi", "Theirs"]


def test_a_review_meanwhile_is_no_conflict(curator, example):
    opened = mine(example, opened_state=fingerprint(example))
    reviewer = make_member(Role.REVIEWER, example.dataset.team)
    services.decide(example, state="approved", by=reviewer)
    answer = post(curator, example, opened)

    assert answer.status_code == 302
    assert texts(example)[2] == "Mine"
    assert example.state == "draft"


@pytest.mark.parametrize(
    "change",
    [{"split": "validation"}, {"tools": [{"n": 1}]}, {"extra": {"a": 1}}, {"tags": 1}],
    ids=str,
)
def test_a_change_of_any_field_of_the_form_is_a_conflict(curator, example, change):
    opened = mine(example, opened_state=fingerprint(example))
    tag = Tag.objects.create(team=example.dataset.team, name="hard")
    tags = [tag] if change.pop("tags", None) else []
    for name, value in change.items():
        setattr(example, name, value)
    services.save_example(example, by=None, tags=tags)

    assert post(curator, example, opened).context["choices"]
    assert texts(example)[2] == "Hello"


def test_other_fields_are_chosen_too(curator, example):
    tag = Tag.objects.create(team=example.dataset.team, name="hard")
    opened = mine(example, tags=[tag.pk])
    theirs(example, split="validation", tools=[{"n": 1}])
    page = post(curator, example, opened)
    post(curator, example, chosen(page, tags=[tag.pk]))
    example.refresh_from_db()

    assert (example.split, example.tools) == ("validation", [{"n": 1}])
    assert [each.name for each in example.tags.all()] == ["hard"]


def test_it_can_be_edited_before_it_is_stored(curator, example):
    opened = mine(example, n=0, text="Be short.")
    theirs(example)
    page = post(curator, example, opened)
    shown = post(curator, example, chosen(page, merge_edit="1"))
    form = shown.context["adminform"].form

    assert texts(example) == ["Be kind.", "Hi", "Theirs"]
    assert "Both changes are put together below" in shown.content.decode()
    typed = json.loads(form["messages"].value())
    assert [each["content"] for each in typed] == ["Be short.", "Hi", "Theirs"]
    again = {**dict(form.data.items()), "_continue": "1"}
    again.pop("merge_edit")
    again.pop("merge_base")
    assert post(curator, example, again).status_code == 302
    assert texts(example) == ["Be short.", "Hi", "Theirs"]


def test_a_third_change_meanwhile_is_a_conflict_again(curator, example):
    opened = mine(example)
    theirs(example)
    page = post(curator, example, opened)
    theirs(example, text="Third")
    again = post(curator, example, chosen(page))

    assert "Third" in again.content.decode()
    assert texts(example)[2] == "Third"
    post(curator, example, chosen(again))
    assert texts(example)[2] == "Mine"


def test_a_form_that_does_not_say_when_it_was_opened_stores_nothing(curator, example):
    data = mine(example)
    del data["opened_at"]
    post(curator, example, data)

    assert texts(example) == ["Be kind.", "Hi", "Hello"]


def test_what_is_no_json_is_mended_before_the_choice(curator, example):
    opened = mine(example) | {"tools": "[{"}
    theirs(example)
    page = post(curator, example, opened)

    assert page.context.get("choices") is None
    assert page.context["adminform"].form["opened_at"].value() == opened["opened_at"]
    assert post(curator, example, opened | {"tools": ""}).context["choices"]
