"""Reviewing: who may decide what, and four eyes by every door."""

import json
from typing import Any

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import BulkKind, Example, ExampleRevision, ReviewState
from datasets_app.services.approvals import since_approval
from datasets_app.services.review import why_not_decided
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of, undo
from tests.factories import make_dataset, make_example, make_member, make_team

pytestmark = pytest.mark.django_db

USER = {"role": "user", "content": "Who are you?"}
REPLY = {"role": "assistant", "content": "A bot."}
S = ReviewState


def again(row: Example) -> Example:
    return Example.objects.get(pk=row.pk)


def decided(row: Example, **decision: Any) -> ExampleRevision:
    revision = services.decide(row, **decision)
    assert revision is not None
    return revision


@pytest.mark.parametrize(
    ("old", "new", "role"),
    [
        (S.DRAFT, S.IN_REVIEW, Role.CURATOR),
        (S.IN_REVIEW, S.DRAFT, Role.CURATOR),
        (S.REJECTED, S.IN_REVIEW, Role.CURATOR),
        (S.IN_REVIEW, S.APPROVED, Role.REVIEWER),
        (S.IN_REVIEW, S.REJECTED, Role.REVIEWER),
        (S.APPROVED, S.DRAFT, Role.REVIEWER),
        (S.REJECTED, S.REJECTED, Role.REVIEWER),
    ],
)
def test_each_step_takes_its_role(old, new, role):
    row = make_example(state=old)
    below = list(Role)[role.rank - 1]
    for member, decided in (
        (make_member(below, row.dataset.team), False),
        (make_member(role, row.dataset.team), True),
    ):
        assert may(row, new, member) == decided
        edit = edit_of(row.dataset, BulkKind.STATE, by=member, state=new, reason="x")
        assert edit.n_changed == decided


def may(row, state, by) -> bool:
    return why_not_decided(row, state=state, by=by, reason="x") == ""


def test_a_rejection_says_why_until_the_row_is_approved():
    row = make_example()
    by = make_member(Role.REVIEWER, row.dataset.team)
    with pytest.raises(services.NotReviewed, match="Say why"):
        services.decide(row, state=S.REJECTED, by=by, reason=" ")
    services.decide(row, state=S.REJECTED, by=by, reason=" Too <b>curt</b>. ")
    assert again(row).reject_reason == "Too <b>curt</b>."
    services.decide(row, state=S.IN_REVIEW, by=by)
    assert again(row).reject_reason
    services.decide(row, state=S.APPROVED, by=by)
    assert (again(row).state, again(row).reject_reason) == ("approved", "")


def test_a_row_with_problems_is_not_approved():
    row = make_example(messages=[USER])
    with pytest.raises(services.NotReviewed, match="problems"):
        services.decide(row, state=S.APPROVED, by=None)
    assert edit_of(row.dataset, BulkKind.STATE, state=S.APPROVED).n_changed == 0


def test_a_decision_on_a_row_that_changed_meanwhile_is_not_taken():
    row = make_example()
    seen = row.updated_at
    services.decide(row, state=S.IN_REVIEW, by=None)

    with pytest.raises(services.ChangedMeanwhile):
        services.decide(row, state=S.APPROVED, by=None, seen=seen)
    assert again(row).state == S.IN_REVIEW


def test_a_decision_is_kept_and_taken_back():
    row = make_example(state=S.IN_REVIEW)
    by = make_member(Role.REVIEWER, row.dataset.team)
    revision = decided(row, state=S.REJECTED, by=by, reason="No.")
    assert revision.changes == {
        "state": ["in_review", "rejected"],
        "reject_reason": ["", "No."],
    }

    services.take_back(revision, by=by)
    assert (again(row).state, again(row).reject_reason) == ("in_review", "")


def test_a_decision_that_somebody_changed_since_is_not_taken_back():
    row = make_example()
    by = make_member(Role.REVIEWER, row.dataset.team)
    revision = decided(row, state=S.APPROVED, by=by)
    services.decide(row, state=S.REJECTED, by=by, reason="No.")

    with pytest.raises(services.ChangedMeanwhile):
        services.take_back(revision, by=by)


def test_rows_are_given_to_members_of_the_team_only():
    row = make_example()
    member = make_member(Role.CURATOR, row.dataset.team)
    services.assign(row, to=member, by=member)
    assert again(row).assignee == member
    with pytest.raises(services.NotReviewed):
        services.assign(row, to=make_member(Role.CURATOR), by=member)


class TestFourEyes:
    """The one who wrote the conversation does not approve it; another one does."""

    @pytest.fixture
    def team(self):
        return make_team(four_eyes=True)

    @pytest.fixture
    def writer(self, team):
        return make_member(Role.OWNER, team)

    @pytest.fixture
    def other(self, team):
        return make_member(Role.REVIEWER, team)

    @pytest.fixture
    def row(self, team, writer):
        return make_example(dataset=make_dataset(team=team), by=writer)

    def test_one_by_one(self, row, writer, other):
        with pytest.raises(services.NotReviewed, match="four eyes"):
            services.decide(row, state=S.APPROVED, by=writer)
        services.decide(row, state=S.APPROVED, by=other)
        assert again(row).state == S.APPROVED

    def test_in_bulk(self, row, writer, other):
        dataset = row.dataset
        own = edit_of(dataset, BulkKind.STATE, by=writer, state=S.APPROVED)
        assert (own.n_changed, again(row).state) == (0, "draft")
        by_other = edit_of(dataset, BulkKind.STATE, by=other, state=S.APPROVED)
        assert by_other.n_changed == 1

    def test_in_the_queue(self, client, row, writer):
        client.force_login(writer)
        url = reverse("datasets:review", args=[row.dataset_id])
        client.post(url, {"do": "approve", "at": f"1.{row.pk}"})
        assert again(row).state == "draft"

    def test_by_a_command_that_acts_for_nobody(self, row):
        edit = edit_of(row.dataset, BulkKind.STATE, state=S.APPROVED)
        assert (edit.n_changed, again(row).state) == (0, "draft")
        with pytest.raises(services.NotReviewed):
            services.decide(row, state=S.APPROVED, by=None)

    def test_on_the_page_of_the_row(self, client, row, writer):
        client.force_login(writer)
        url = reverse("datasets:example_decide", args=[row.pk])
        client.post(url, {"state": "approved"})
        assert again(row).state == "draft"

    def test_from_the_list(self, client, row, writer):
        client.force_login(writer)
        url = reverse("datasets:edit_new", args=[row.dataset_id])
        client.post(url, {"kind": "approve", "scope": "all", "edit-to": "approved"})
        assert again(row).state == "draft"

    def test_with_the_button_that_saves_and_approves(self, client, row, writer):
        client.force_login(writer)
        url = reverse("admin:datasets_app_example_change", args=[row.pk])
        form = client.get(url).context["adminform"].form
        data = {
            "split": "train",
            "messages": json.dumps(row.messages),
            "parallel_tool_calls": "unknown",
            "opened_at": form["opened_at"].value(),
            "_approve": "1",
        }
        page = client.post(url, data, follow=True).content.decode()
        assert again(row).state == "draft"
        assert "four eyes" in page

    def test_by_taking_a_rejection_back(self, row, writer, other):
        services.decide(row, state=S.APPROVED, by=other)
        row = again(row)
        rejection = decided(row, state=S.REJECTED, by=writer, reason="No.")
        with pytest.raises(services.NotReviewed, match="four eyes"):
            services.take_back(rejection, by=writer)
        assert again(row).state == "rejected"

    def test_by_undoing_a_bulk_rejection(self, row, writer, other):
        services.decide(row, state=S.APPROVED, by=other)
        rejection = edit_of(
            row.dataset, BulkKind.STATE, by=writer, state=S.REJECTED, reason="No."
        )
        assert undo(rejection, by=writer).n_changed == 0
        assert again(row).state == "rejected"

    def test_who_changed_it_last_counts_not_who_added_it(self, row, writer, other):
        edit_of(
            row.dataset,
            BulkKind.REPLACE,
            by=other,
            find="Answer",
            replace="Reply",
            fields=["text"],
        )
        with pytest.raises(services.NotReviewed):
            services.decide(row, state=S.APPROVED, by=other)
        services.decide(row, state=S.APPROVED, by=writer)

    def test_a_tag_is_no_change_of_the_conversation(self, row, writer, other):
        edit_of(row.dataset, BulkKind.TAG, by=other, name="x")
        services.decide(row, state=S.APPROVED, by=other)

    def test_a_team_without_the_rule_trusts_its_reviewers(self, row, writer, team):
        team.four_eyes = False
        team.save()
        services.decide(again(row), state=S.APPROVED, by=writer)
        assert again(row).state == S.APPROVED


class TestSinceApproval:
    def test_what_changed_since_is_found(self):
        row = make_example(messages=[USER, REPLY])
        services.decide(row, state=S.APPROVED, by=None)
        row = again(row)
        for text in ("One.", "Two."):
            row.messages = [USER, {"role": "assistant", "content": text}]
            services.save_example(row, by=None)

        assert since_approval(again(row)) == {"messages": [[USER, REPLY], row.messages]}

    def test_nothing_is_found_if_it_was_never_approved(self):
        row = make_example()
        row.messages = [USER, REPLY]
        services.save_example(row, by=None)
        assert since_approval(again(row)) == {}

    def test_what_is_back_as_it_was_did_not_change(self):
        row = make_example(messages=[USER, REPLY])
        services.decide(row, state=S.APPROVED, by=None)
        for messages in ([USER, {**REPLY, "content": "x"}], [USER, REPLY]):
            row = again(row)
            row.messages = messages
            services.save_example(row, by=None)
        assert since_approval(again(row)) == {}


def test_owners_set_the_rules_of_the_team(client):
    team = make_team()
    client.force_login(make_member(Role.OWNER, team))
    url = reverse("admin:teams_app_team_change", args=[team.pk])
    page = client.get(url).content.decode()

    assert 'name="four_eyes"' in page
    assert 'name="approved_only"' in page


def test_revisions_of_decisions_name_who_decided():
    row = make_example()
    by = make_member(Role.REVIEWER, row.dataset.team)
    services.decide(row, state=S.APPROVED, by=by)
    revision = ExampleRevision.objects.filter(example_pk=row.pk)[0]
    assert revision.created_by == by


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("decide", {"state": "in_review"}),
        ("assign", {"assignee": ""}),
        ("comment", {"text": "Hm."}),
    ],
)
def test_a_viewer_changes_nothing_on_the_page_of_a_row(client, page, data):
    row = make_example()
    client.force_login(make_member(Role.VIEWER, row.dataset.team))
    url = reverse(f"datasets:example_{page}", args=[row.pk])
    assert client.post(url, data).status_code == 403


def test_the_page_of_a_row_takes_decisions_assignees_and_comments(client):
    row = make_example()
    member = make_member(Role.REVIEWER, row.dataset.team, username="ann")
    client.force_login(member)

    def post(page: str, **data: Any) -> str:
        url = reverse(f"datasets:example_{page}", args=[row.pk])
        return client.post(url, data, follow=True).content.decode()

    post("decide", state="rejected", reason="<b>No")
    post("assign", assignee=member.pk)
    page = post("comment", text="<script>why")
    assert (again(row).state, again(row).assignee) == ("rejected", member)
    assert "&lt;b&gt;No" in page
    assert "&lt;script&gt;why" in page
    stale = row.updated_at.isoformat()
    assert "changed this example" in post("decide", state="approved", seen=stale)
    assert again(row).state == "rejected"
