"""A bulk edit reaches its own dataset's rows only, and of these the meant ones."""

import pytest

from datasets_app.models import BulkKind, Example, ExampleRevision, ReviewState
from datasets_app.services import decide, save_example
from datasets_app.services.approvals import since_approval
from datasets_app.services.errors import BadEdit
from datasets_app.services.selection import Selection
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


def in_the_bin() -> Example:
    row = make_example()
    edit_of(row.dataset, BulkKind.DELETE)
    return row


def ticked(*rows: Example) -> Selection:
    return Selection(pks=tuple(row.pk for row in rows))


def keys() -> set[int]:
    return set(Example.with_deleted.values_list("pk", flat=True))


@pytest.mark.parametrize("selection", ["all", "ticked"])
def test_another_datasets_bin_is_not_emptied(selection):
    foreign = in_the_bin()
    chosen = ticked(foreign) if selection == "ticked" else None
    edit_of(make_dataset(), BulkKind.PURGE, selection=chosen)

    assert foreign.pk in keys()


@pytest.mark.parametrize("selection", ["all", "ticked"])
def test_nothing_comes_back_from_another_datasets_bin(selection):
    foreign = in_the_bin()
    chosen = ticked(foreign) if selection == "ticked" else None
    edit_of(make_dataset(), BulkKind.RESTORE, selection=chosen)

    assert not Example.objects.filter(pk=foreign.pk).exists()


def test_of_the_bin_only_what_is_ticked_goes_or_comes_back():
    dataset = make_dataset()
    gone, back, left = (make_example(dataset=dataset) for _n in range(3))
    edit_of(dataset, BulkKind.DELETE)
    edit_of(dataset, BulkKind.PURGE, selection=ticked(gone))
    edit_of(dataset, BulkKind.RESTORE, selection=ticked(back))

    assert keys() == {back.pk, left.pk}
    assert list(Example.objects.all()) == [back]
    assert ExampleRevision.objects.filter(example_pk=left.pk).exists()


def test_rows_are_given_to_members_of_their_team_only():
    row, stranger = make_example(), make_member(Role.OWNER)
    with pytest.raises(BadEdit):
        edit_of(row.dataset, BulkKind.ASSIGN, assignee=stranger.pk)


class TestSinceApproval:
    """What a reviewer is shown of a row that was approved before."""

    @pytest.fixture
    def row(self) -> Example:
        row = make_example()
        decide(row, state=ReviewState.APPROVED, by=None)
        row.refresh_from_db()
        return row

    def answers(self, row: Example, text: str) -> None:
        turns = [row.messages[0], {"role": "assistant", "content": text}]
        row.messages = turns
        save_example(row, by=None)
        row.refresh_from_db()

    def test_it_is_compared_with_what_was_approved_last(self, row):
        first = row.messages
        self.answers(row, "Second.")
        self.answers(row, "Third.")
        assert since_approval(row) == {"messages": [first, row.messages]}

        decide(row, state=ReviewState.APPROVED, by=None)
        row.refresh_from_db()
        assert since_approval(row) == {}

    def test_a_row_that_was_never_approved_has_nothing_to_show(self):
        row = make_example()
        self.answers(row, "Second.")
        assert since_approval(row) == {}

    def test_what_became_of_other_rows_does_not_matter(self, row):
        other = make_example(dataset=row.dataset)
        self.answers(row, "Second.")
        self.answers(other, "Other.")
        decide(other, state=ReviewState.APPROVED, by=None)

        assert since_approval(row).keys() == {"messages"}
