"""Nothing is approved past the reviewers: not by undoing, resuming or further keys."""

from typing import Any

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Example,
    FreezeRun,
    ReviewState,
    RunStatus,
)
from datasets_app.services import bulk_edits
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of, undo
from tests.factories import make_dataset, make_example, make_member, make_team

pytestmark = pytest.mark.django_db
S = ReviewState


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def curator(team):
    return make_member(Role.CURATOR, team)


@pytest.fixture
def reviewer(team):
    return make_member(Role.REVIEWER, team)


@pytest.fixture
def row(team):
    """Approved."""
    return make_example(dataset=make_dataset(team=team), state=S.APPROVED)


def again(row) -> Example:
    return Example.objects.get(pk=row.pk)


def rewrite(row, by, **fields) -> None:
    row = again(row)
    for name, value in fields.items():
        setattr(row, name, value)
    services.save_example(row, by=by)


def put_back(row, by) -> BulkEdit:
    """A reviewer's edit that took the approval away."""
    return edit_of(row.dataset, BulkKind.STATE, by=by, state=S.DRAFT)


def replace(row, by) -> BulkEdit:
    params: dict[str, Any] = {"find": "Answer", "replace": "Reply", "fields": ["text"]}
    return edit_of(row.dataset, BulkKind.REPLACE, by=by, **params)


def test_a_curator_does_not_approve_by_undoing(row, curator, reviewer):
    edit = put_back(row, reviewer)

    assert undo(edit, by=curator).n_changed == 0
    assert again(row).state == S.DRAFT


def test_a_reviewer_takes_their_edit_back(row, reviewer):
    assert undo(put_back(row, reviewer), by=reviewer).n_changed == 1
    assert again(row).state == S.APPROVED


def test_undoing_does_not_approve_what_was_rewritten_since(row, curator, reviewer):
    edit = put_back(row, reviewer)
    rewrite(row, curator, messages=[*row.messages, *row.messages])

    assert undo(edit, by=reviewer).n_changed == 0


def test_undoing_a_replacement_does_not_approve_other_changes(row, curator):
    edit = replace(row, curator)
    rewrite(row, curator, parallel_tool_calls=True)

    assert undo(edit, by=curator).n_changed == 0
    assert again(row).state == S.DRAFT


def test_undoing_a_replacement_does_not_undo_a_rejection(row, curator, reviewer):
    edit = replace(row, curator)
    services.decide(again(row), state=S.REJECTED, by=reviewer, reason="No.")
    services.decide(again(row), state=S.DRAFT, by=curator)

    assert undo(edit, by=curator).n_changed == 0


def test_undoing_a_replacement_brings_the_approved_row_back(row, curator):
    edit = replace(row, curator)

    assert undo(edit, by=curator).n_changed == 1
    assert again(row).state == S.APPROVED


def test_mends_alone_are_undone_where_they_are_shown(client, row, curator, reviewer):
    edit = edit_of(
        row.dataset, BulkKind.STATE, by=reviewer, state=S.REJECTED, reason="No."
    )
    client.force_login(curator)

    response = client.post(reverse("datasets:mend_undo", args=[edit.pk]))
    assert response.status_code == 404
    assert again(row).state == S.REJECTED


def test_nobody_lets_the_edit_of_another_go_on(client, team, reviewer):
    """It would approve their own rows in the other's name."""
    row = make_example(dataset=make_dataset(team=team))
    edit = bulk_edits.start_edit(
        dataset=row.dataset,
        kind=BulkKind.STATE,
        by=make_member(Role.REVIEWER, team, username="maker"),
        params={"state": S.APPROVED},
    )
    bulk_edits.cancel_edit(edit)
    client.force_login(reviewer)
    url = reverse("datasets:edit_resume", args=[edit.pk])

    page = client.post(url, follow=True).content.decode()
    assert "Only maker can let this edit go on" in page
    assert "Go on where it stopped" not in page
    edit.refresh_from_db()
    assert edit.status == RunStatus.CANCELLED


def test_an_edit_of_nobody_becomes_that_of_who_resumes_it(row, reviewer):
    edit = bulk_edits.start_edit(dataset=row.dataset, kind=BulkKind.DELETE, by=None)
    bulk_edits.cancel_edit(edit)

    assert bulk_edits.resume_edit(edit, by=reviewer)
    assert edit.created_by == reviewer


def test_further_keys_are_part_of_what_is_approved(row, curator):
    rewrite(row, curator, extra={"grade": "A"})

    assert again(row).state == S.DRAFT
    assert again(row).content_by == curator


@pytest.mark.parametrize(
    "page", ["datasets:freeze", "admin:datasets_app_dataset_freeze"]
)
def test_a_reviewer_does_not_set_the_rule_of_the_team_aside(client, row, page):
    row.dataset.team.approved_only = True
    row.dataset.team.save()
    client.force_login(make_member(Role.REVIEWER, row.dataset.team))
    client.post(reverse(page, args=[row.dataset_id]), {"note": "all of it"})

    assert FreezeRun.objects.get().approved_only
