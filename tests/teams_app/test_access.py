"""Whose row it is: by the way to the team that each model names."""

import pytest
from django.db import IntegrityError

from teams_app.access import DEFAULT_TEAM_SLUG, default_team, roles_of, team_of
from teams_app.models import Membership, Role, Team
from tests.factories import make_member, make_team

pytestmark = pytest.mark.django_db


def test_a_team_is_its_own_teams_row():
    team = make_team()
    assert team_of(team) == team


def test_a_row_leads_to_its_team():
    user = make_member(Role.VIEWER)
    membership = user.membership_set.get()
    assert team_of(membership) == membership.team


def test_roles_are_read_once_for_a_request(django_assert_num_queries):
    user = make_member(Role.VIEWER)
    Membership.objects.create(team=make_team(), user=user, role=Role.OWNER)
    with django_assert_num_queries(1):
        roles_of(user)
        assert sorted(roles_of(user).values()) == ["owner", "viewer"]


def test_the_default_team_is_made_once():
    assert default_team() == default_team()
    assert Team.objects.get().slug == DEFAULT_TEAM_SLUG


def test_an_unknown_role_is_no_row():
    user, team = make_member(Role.VIEWER), make_team()
    with pytest.raises(IntegrityError):
        Membership.objects.create(team=team, user=user, role="god")


def test_a_superuser_sees_every_teams_rows():
    one, other = make_team(), make_team()
    make_member(Role.OWNER, one, is_superuser=True)
    root = one.members.get()
    assert {one, other} <= set(Team.objects.visible_to(root))
