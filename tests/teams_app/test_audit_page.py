"""What of the audit log an owner gets to see, as a page and as a file."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate, now

from teams_app import audit_views
from teams_app.models import AuditEntry, Role, Team, User
from tests.factories import make_member, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client) -> User:
    user = make_member(Role.OWNER)
    client.force_login(user)
    return user


@pytest.fixture
def team(owner) -> Team:
    return owner.teams.get()


def note(team: Team, name: str, days_ago: int = 0) -> None:
    what = {"verb": "created", "thing": "dataset", "label": name}
    at = now() - timedelta(days=days_ago)
    AuditEntry.objects.create(team=team, created_at=at, **what)


def names(client: Client, **query: Any) -> list[str]:
    context = client.get(reverse("audit:log"), query).context
    return [entry.label for entry, _facts in context["lines"]]


def file_of(client: Client, **query: Any) -> str:
    answer = client.get(reverse("audit:csv"), query)
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_file_holds_the_own_teams_lines_only(client, team):
    note(make_team(), "Foreign")
    note(team, "Ours")

    assert "Ours" in file_of(client)
    assert "Foreign" not in file_of(client)


def test_the_file_is_filtered_too(client, team):
    note(team, "Ours")

    assert "Ours" not in file_of(client, verb="deleted")


def test_the_file_is_complete_though_it_is_read_in_pieces(client, team, monkeypatch):
    monkeypatch.setattr(audit_views, "AT_ONCE", 2)
    for n in range(5):
        note(team, f"Set {n}")

    lines = file_of(client).splitlines()

    assert len(lines) == 6
    assert [f"Set {n}" in line for n, line in enumerate(lines[1:])] == [True] * 5


def test_an_owner_of_two_teams_sees_one_at_a_time(client, owner, team):
    second = make_team()
    second.membership_set.create(user=owner, role=Role.OWNER)
    note(team, "First")
    note(second, "Second")

    assert names(client, team=second.pk) == ["Second"]
    assert names(client, team=team.pk) == ["First"]
    assert len(names(client)) == 1


def test_a_superuser_sees_all_teams_or_the_chosen_one(client, team):
    client.force_login(make_user(is_superuser=True))
    note(team, "One")
    note(make_team(), "Two")

    assert names(client) == ["Two", "One"]
    assert names(client, team=team.pk) == ["One"]


def test_a_day_bounds_what_is_shown(client, team):
    note(team, "Old", days_ago=9)
    note(team, "New")
    between = localdate() - timedelta(days=5)

    assert names(client, since=between) == ["New"]
    assert names(client, until=between) == ["Old"]
    assert names(client, since=localdate(), until=localdate()) == ["New"]


def test_lines_that_were_stored_out_of_order_are_found_by_their_day(client, team):
    note(team, "New")
    note(team, "Old", days_ago=9)
    between = localdate() - timedelta(days=5)

    assert names(client, since=between) == ["New"]
    assert names(client, until=between) == ["Old"]


def test_only_members_of_ones_own_teams_are_suggested(client, owner, team):
    member = make_member(Role.VIEWER, team)
    other = make_member(Role.OWNER)
    other.teams.get().membership_set.create(user=owner, role=Role.VIEWER)

    suggested = client.get(reverse("audit:log")).context["names"]

    assert suggested == sorted([owner.username, member.username])


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30])
def test_a_page_behind_nothing_is_the_first(client, team, before):
    note(team, "Ours")

    assert names(client, before=before) == ["Ours"]


def test_the_file_is_kept_and_never_shown(client, team):
    answer = client.get(reverse("audit:csv"))

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
