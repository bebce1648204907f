import pytest

from datasets_app import services
from datasets_app.models import Example, ReviewState, Split
from tests.datasets_app.bad_rows import REPLY, USER
from tests.factories import make_dataset, make_example, make_user

pytestmark = pytest.mark.django_db


def all_examples():
    return Example.objects.all()


def test_what_is_derived_follows_the_conversation():
    example = make_example(messages=[USER, REPLY])
    before = example.content_hash
    example.messages = [{"content": "안녕", "role": "user"}]
    services.save_example(example, by=None)
    example.refresh_from_db()

    assert example.text == "안녕"
    assert example.content_hash != before
    assert not example.is_valid
    assert [problem["code"] for problem in example.problems] == ["no_assistant"]
    assert list(example.messages[0]) == ["role", "content"]


@pytest.mark.parametrize("state", [ReviewState.APPROVED, ReviewState.REJECTED])
def test_a_changed_conversation_is_a_draft_again(state):
    example = make_example(state=state)
    example.messages = [USER, REPLY]
    services.save_example(example, by=None)

    assert example.state == ReviewState.DRAFT


def test_an_unchanged_conversation_keeps_its_review():
    example = make_example(state=ReviewState.APPROVED)
    example.split = Split.VALIDATION
    services.save_example(example, by=None)

    assert example.state == ReviewState.APPROVED


def test_who_and_when_are_kept():
    first, second = make_user(), make_user()
    example = make_example(by=first)
    services.save_example(example, by=second)

    assert (example.created_by, example.updated_by) == (first, second)


def test_new_examples_come_last():
    dataset = make_dataset()

    assert [make_example(dataset=dataset).position for _ in range(3)] == [1, 2, 3]
