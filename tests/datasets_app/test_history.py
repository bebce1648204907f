"""Every change of an example is kept, and any earlier state can come back."""

import pytest

from datasets_app import services
from datasets_app.models import Example, ExampleRevision, Tag
from datasets_app.services import ChangedMeanwhile, restore_example, save_example
from datasets_app.services.history import state_after
from tests.datasets_app.bad_rows import REPLY, USER
from tests.factories import make_example, make_user

pytestmark = pytest.mark.django_db


def newest() -> ExampleRevision:
    revision = ExampleRevision.objects.first()
    assert revision is not None
    return revision


def changed(example: Example, by=None, tags=None, **fields) -> ExampleRevision | None:
    for name, value in fields.items():
        setattr(example, name, value)
    return save_example(example, by=by, tags=tags)


def restore(example: Example, revision_pk: int, by=None):
    revision = restore_example(
        example, revision_pk=revision_pk, seen_at=example.updated_at, by=by
    )
    example.refresh_from_db()
    return revision


def test_a_change_is_kept_with_who_and_both_values():
    example, ann = make_example(messages=[USER, REPLY]), make_user()
    changed(example, by=ann, messages=[REPLY])
    revision = newest()

    assert revision.changes == {"messages": [[USER, REPLY], [REPLY]]}
    assert (revision.created_by, revision.example_pk) == (ann, example.pk)


def test_what_somebody_did_stays_when_they_are_gone():
    example, ann = make_example(), make_user()
    changed(example, by=ann, messages=[REPLY])
    ann.delete()

    assert newest().created_by is None


def test_the_state_that_falls_back_to_draft_is_part_of_the_change():
    example = make_example(state="approved")
    changed(example, messages=[REPLY])

    assert newest().changes["state"] == ["approved", "draft"]


def test_a_new_example_begins_its_history():
    make_example(messages=[USER, REPLY])

    assert newest().changes == {
        "messages": [None, [USER, REPLY]],
        "state": [None, "draft"],
        "split": [None, "train"],
    }


def test_saving_without_a_change_keeps_nothing():
    example = make_example()

    assert changed(Example.objects.get(pk=example.pk)) is None
    assert ExampleRevision.objects.count() == 1


def test_values_that_python_takes_for_equal_are_told_apart():
    example = make_example(tools=[{"n": 1}])

    assert changed(example, tools=[{"n": True}]) is not None


def test_tags_are_kept_by_name():
    example = make_example()
    team = example.dataset.team
    old = Tag.objects.create(team=team, name="old")
    new = Tag.objects.create(team=team, name="new")
    changed(example, tags=[old])
    changed(example, tags=[new])

    assert newest().changes == {"tags": [["old"], ["new"]]}


def test_an_earlier_state_comes_back_as_a_new_change():
    example, ann = make_example(messages=[USER, REPLY]), make_user()
    first = newest()
    changed(example, messages=[REPLY], split="validation", tools=[{"n": 1}])
    changed(example, messages=[USER])
    restore(example, first.pk, by=ann)

    assert (example.messages, example.split) == ([USER, REPLY], "train")
    assert example.tools is None
    assert newest().changes["messages"] == [[USER], [USER, REPLY]]
    assert newest().created_by == ann
    assert ExampleRevision.objects.count() == 4


def test_a_row_without_a_beginning_comes_back_as_it_came():
    example = make_example(messages=[USER, REPLY])
    ExampleRevision.objects.all().delete()  # as an import leaves it
    changed(example, messages=[REPLY])
    restore(example, 0)

    assert example.messages == [USER, REPLY]


def test_a_deleted_tag_comes_back_with_the_row():
    example = make_example()
    tag = Tag.objects.create(team=example.dataset.team, name="hard")
    changed(example, tags=[tag])
    with_tag = newest()
    changed(example, tags=[])
    tag.delete()
    restore(example, with_tag.pk)

    assert [tag.name for tag in example.tags.all()] == ["hard"]


def test_restoring_what_somebody_changed_meanwhile_is_refused():
    example = make_example()
    seen_at = example.updated_at
    changed(example, messages=[REPLY])

    with pytest.raises(ChangedMeanwhile):
        restore_example(example, revision_pk=0, seen_at=seen_at, by=None)
    assert Example.objects.get().messages == [REPLY]


def test_history_of_another_row_is_not_mixed_in():
    example, other = make_example(), make_example()
    changed(other, messages=[REPLY])

    assert state_after(example, 0)["messages"] is None
    changed(example, messages=[USER])
    services.save_example(other, by=None)
    assert state_after(example, newest().pk)["messages"] == [USER]
