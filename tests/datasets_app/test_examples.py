import pytest

from datasets_app import services
from datasets_app.models import Example, ReviewState, Split, Tag
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

    assert [make_example(dataset=dataset).position for _ in range(3)] == [0, 1, 2]


def test_approving_leaves_out_what_has_problems():
    good, bad, by = make_example(), make_example(messages=[USER]), make_user()
    before = good.updated_at

    n = services.review_examples(all_examples(), state=ReviewState.APPROVED, by=by)

    good.refresh_from_db()
    bad.refresh_from_db()
    assert (n, good.state, bad.state) == (1, "approved", "draft")
    assert good.updated_by == by
    assert good.updated_at > before


def test_rejecting_takes_what_has_problems():
    make_example(messages=[USER])

    assert (
        services.review_examples(all_examples(), state=ReviewState.REJECTED, by=None)
        == 1
    )


def test_moving_changes_the_split():
    example = make_example()
    services.move_examples(all_examples(), split=Split.VALIDATION, by=None)
    example.refresh_from_db()

    assert example.split == Split.VALIDATION


def test_a_tag_is_made_once_for_each_team():
    one, two = make_example(), make_example()
    services.tag_examples(all_examples(), name="hard", by=None)
    services.tag_examples(all_examples(), name="hard", by=None)

    assert [tag.team for tag in one.tags.all()] == [one.dataset.team]
    assert [tag.team for tag in two.tags.all()] == [two.dataset.team]
    assert Tag.objects.count() == 2


def test_a_tag_is_taken_off():
    example = make_example()
    services.tag_examples(all_examples(), name="hard", by=None)
    services.untag_examples(all_examples(), name="hard", by=None)

    assert not example.tags.exists()
