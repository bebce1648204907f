"""What each kind of bulk edit does to a row, and that it can be taken back."""

import pytest

from datasets_app.models import BulkKind, Example, ExampleRevision, ReviewState
from datasets_app.services import bulk_edits, save_example
from datasets_app.services.history import snapshot
from datasets_app.services.selection import Selection
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of, undo
from tests.factories import make_dataset, make_example, make_member, make_user

pytestmark = pytest.mark.django_db

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Who are you?"}
FIRST = {"role": "assistant", "content": "A kind bot."}
LAST = {"role": "assistant", "content": "Bye."}


def again(example: Example) -> Example:
    return Example.with_deleted.get(pk=example.pk)


CASES = [
    (BulkKind.TAG, {"name": "hard"}),
    (BulkKind.STATE, {"state": "in_review"}),
    (BulkKind.STATE, {"state": "rejected", "reason": "“왜?” \\ <b>"}),
    (BulkKind.SPLIT, {"split": "validation"}),
    (BulkKind.PIN, {"is_pinned": True}),
    (BulkKind.WEIGHT, {"learnt": "last"}),
    (BulkKind.SYSTEM_PROMPT, {"how": "set", "text": "친절하게."}),
    (BulkKind.SYSTEM_PROMPT, {"how": "remove"}),
    (BulkKind.REPLACE, {"find": "kind", "replace": "친절한", "fields": ["text"]}),
    (BulkKind.DELETE, {}),
]


@pytest.mark.parametrize(("kind", "params"), CASES)
def test_an_edit_is_recorded_and_undoing_brings_everything_back(kind, params):
    by, undoer = make_user(), make_user(is_superuser=True)
    row = make_example(messages=[SYSTEM, USER, FIRST, USER, LAST])
    before, hash_before, text = snapshot(row), row.content_hash, row.text

    edit = edit_of(
        row.dataset, kind, by=by if kind != BulkKind.STATE else None, **params
    )
    changed = again(row)
    revision = ExampleRevision.objects.get(example_pk=row.pk, bulk_edit=edit)
    recorded = {name: pair for name, pair in revision.changes.items() if name != "tags"}
    assert edit.n_changed == 1
    assert {**before, **{name: pair[1] for name, pair in recorded.items()}} == snapshot(
        changed
    )
    assert all(before[name] == pair[0] for name, pair in recorded.items())
    assert revision.created_by == edit.created_by == changed.updated_by

    assert undo(edit, by=undoer).n_changed == 1
    back = again(row)
    assert (snapshot(back), back.content_hash, back.text) == (before, hash_before, text)
    assert not back.tags.exists()


@pytest.mark.parametrize(("kind", "params"), CASES)
def test_doing_it_twice_changes_nothing_more(kind, params):
    row = make_example(messages=[SYSTEM, USER, FIRST, USER, LAST])
    edit_of(row.dataset, kind, **params)

    assert edit_of(row.dataset, kind, **params).n_changed == 0


def test_a_row_changed_since_is_left_by_undoing():
    dataset = make_dataset()
    first, second = make_example(dataset=dataset), make_example(dataset=dataset)
    edit = edit_of(dataset, BulkKind.SPLIT, split="validation")
    one = selected(first)
    edit_of(dataset, BulkKind.SPLIT, split="train", selection=one)
    edit_of(dataset, BulkKind.SPLIT, split="validation", selection=selected(second))
    edit_of(dataset, BulkKind.PIN, is_pinned=True)

    undone = undo(edit)

    assert (undone.n_done, undone.n_changed) == (2, 1)
    assert again(second).split == "train"


def selected(*examples) -> Selection:
    return Selection(pks=tuple(each.pk for each in examples))


def test_a_conversation_that_changed_is_a_draft_with_all_that_is_derived():
    row = make_example(messages=[USER, FIRST], state=ReviewState.APPROVED)
    by = make_user()

    edit = edit_of(
        row.dataset,
        BulkKind.REPLACE,
        by=by,
        find="kind",
        replace="<|end|>",
        fields=["text"],
    )

    row = again(row)
    assert row.state == ReviewState.DRAFT
    assert row.text.endswith("A <|end|> bot.")
    assert [problem["code"] for problem in row.problems] == ["reserved_token"]
    assert (row.is_valid, edit.n_changed, edit.n_invalid) == (False, 1, 1)
    assert row.content_by == by


def test_a_row_that_would_become_too_long_is_left_out():
    row = make_example(messages=[USER, {"role": "assistant", "content": "a" * 3_000}])

    edit = edit_of(
        row.dataset, BulkKind.REPLACE, find="a", replace="b" * 1_000, fields=["text"]
    )

    assert (edit.n_done, edit.n_changed) == (1, 0)


def test_only_the_last_answer_is_learnt_and_then_all():
    row = make_example(messages=[USER, FIRST, USER, LAST])

    edit_of(row.dataset, BulkKind.WEIGHT, learnt="last")
    weights = [each.get("weight") for each in again(row).messages]
    edit_of(row.dataset, BulkKind.WEIGHT, learnt="all")

    assert weights == [None, 0, None, None]
    assert again(row).messages == row.messages


def test_a_system_prompt_is_added_only_where_there_is_none():
    dataset = make_dataset()
    without = make_example(dataset=dataset, messages=[USER, FIRST])
    with_one = make_example(dataset=dataset, messages=[SYSTEM, USER, FIRST])

    edit_of(dataset, BulkKind.SYSTEM_PROMPT, how="add", text="New.")

    assert again(without).messages[0] == {"role": "system", "content": "New."}
    assert again(with_one).messages == [SYSTEM, USER, FIRST]


def test_further_keys_of_messages_move_with_them():
    row = make_example(
        messages=[SYSTEM, USER, FIRST],
        extra={"id": 7, "messages": {"1": {"x": 1}, "2": {"y": 2}}},
    )
    edit_of(row.dataset, BulkKind.SYSTEM_PROMPT, how="remove")
    assert again(row).extra == {"id": 7, "messages": {"1": {"y": 2}}}

    edit_of(row.dataset, BulkKind.SYSTEM_PROMPT, how="add", text="New.")
    assert again(row).extra == {"id": 7, "messages": {"2": {"y": 2}}}


def test_rows_are_given_to_a_member_and_only_to_one():
    row = make_example()
    member = make_member(Role.CURATOR, row.dataset.team)

    edit = edit_of(row.dataset, BulkKind.ASSIGN, assignee=member.pk)
    assert again(row).assignee == member
    undo(edit)
    assert again(row).assignee is None
    with pytest.raises(bulk_edits.BadEdit, match="member"):
        edit_of(row.dataset, BulkKind.ASSIGN, assignee=make_user().pk)


def test_undoing_gives_no_row_to_somebody_who_left_the_site():
    row = make_example()
    member, other = (make_member(Role.CURATOR, row.dataset.team) for _n in range(2))
    edit_of(row.dataset, BulkKind.ASSIGN, assignee=member.pk)
    edit = edit_of(row.dataset, BulkKind.ASSIGN, assignee=other.pk)
    member.delete()

    assert undo(edit).n_changed == 1
    assert again(row).assignee is None


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (BulkKind.TAG, {"name": " "}),
        (BulkKind.TAG, {"name": "x" * 51}),
        (BulkKind.STATE, {"state": "gone"}),
        (BulkKind.STATE, {"state": "rejected"}),
        (BulkKind.SPLIT, {"split": "test"}),
        (BulkKind.WEIGHT, {}),
        (BulkKind.SYSTEM_PROMPT, {"how": "set"}),
        (BulkKind.REPLACE, {"find": "", "fields": ["text"]}),
        (BulkKind.REPLACE, {"find": "(", "is_regex": True, "fields": ["text"]}),
        (BulkKind.REPLACE, {"find": "a", "fields": []}),
    ],
)
def test_an_edit_that_makes_no_sense_is_not_stored(kind, params):
    with pytest.raises(bulk_edits.BadEdit):
        bulk_edits.start_edit(dataset=make_dataset(), kind=kind, by=None, params=params)


def test_the_bin_gives_back_a_row_and_deletes_the_rest_for_good():
    dataset = make_dataset()
    kept, gone = make_example(dataset=dataset), make_example(dataset=dataset)
    live = make_example(dataset=dataset)
    deletion = edit_of(dataset, BulkKind.DELETE, selection=selected(kept, gone))

    restoring = edit_of(dataset, BulkKind.RESTORE, selection=selected(kept, live))
    purge = edit_of(dataset, BulkKind.PURGE)

    assert (restoring.n_changed, purge.n_changed) == (1, 1)
    assert set(Example.with_deleted.all()) == {kept, live}
    assert not ExampleRevision.objects.filter(example_pk=gone.pk).exists()
    assert ExampleRevision.objects.filter(example_pk=kept.pk).count() == 3
    assert undo(deletion).n_changed == 0
    assert "cannot" in bulk_edits.why_not_undone(purge)


def test_a_row_that_was_put_back_is_deleted_again_by_undoing():
    row = make_example()
    edit_of(row.dataset, BulkKind.DELETE)
    restoring = edit_of(row.dataset, BulkKind.RESTORE)

    assert undo(restoring).n_changed == 1
    assert again(row).deleted_at is not None


def test_whoever_saves_a_changed_conversation_wrote_it():
    writer, tagger = make_user(), make_user()
    row = make_example(by=writer)
    row.messages = [USER, FIRST]
    save_example(row, by=tagger)
    row.split = "validation"
    save_example(row, by=writer)

    assert again(row).content_by == tagger
