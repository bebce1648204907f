"""What of the audit log an owner gets to see, as a page and as a file."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate, now

from teams_app import audit_forms, audit_views
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


@pytest.mark.parametrize("name", ["audit:log", "audit:csv"])
def test_the_log_is_read_by_the_signed_in_and_with_get_alone(client, team, name):
    assert client.post(reverse(name)).status_code == 405
    client.logout()
    assert client.get(reverse(name)).url.startswith(reverse("login"))


@pytest.mark.parametrize("is_superuser", [False, True])
def test_only_who_sees_every_team_is_offered_all_of_them(client, team, is_superuser):
    if is_superuser:
        client.force_login(make_user(is_superuser=True))
    field = client.get(reverse("audit:log")).context["form"].fields["team"]
    assert (field.empty_label is not None) == is_superuser


def test_a_day_of_long_ago_is_not_where_the_log_begins(client, team, monkeypatch):
    monkeypatch.setattr(audit_forms, "AT_ONCE", 1)
    for n in range(4):
        note(team, f"Old {n}", days_ago=9)
    note(team, "New")

    until = names(client, until=localdate() - timedelta(days=5))

    assert until == [f"Old {n}" for n in (3, 2, 1, 0)]


def test_no_more_lines_are_read_than_are_shown(client, team, monkeypatch):
    monkeypatch.setattr(audit_views, "AT_ONCE", 2)
    for n in range(3):
        note(team, f"Set {n}")

    with CaptureQueriesContext(connection) as asked:
        file_of(client)
        names(client)

    read = [
        q["sql"] for q in asked if "ORDER BY" in q["sql"] and "auditentry" in q["sql"]
    ]
    assert [sql.rpartition("LIMIT ")[2] for sql in read] == ["2", "2", "2", "51"]


def test_not_every_member_of_a_large_team_is_suggested(client, team, monkeypatch):
    monkeypatch.setattr(audit_views, "MOST_NAMES", 1)
    make_member(Role.VIEWER, team)
    assert len(client.get(reverse("audit:log")).context["names"]) == 1


def test_a_line_about_what_has_no_number_has_an_empty_cell(client, team):
    note(team, "Nameless")
    AuditEntry.objects.create(team=team, verb="created", thing="dataset", thing_id=7)

    cells = [line.split(",")[7] for line in file_of(client).splitlines()[1:]]

    assert cells == ["", "7"]
