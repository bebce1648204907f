"""The ladder of roles, and what each lets its holder see and do."""

import pytest
from django.core.exceptions import PermissionDenied

from teams_app.access import has_role, has_role_anywhere, require_role
from teams_app.models import Membership, Role, Team
from tests.factories import make_member, make_team, make_user

LADDER = [Role.VIEWER, Role.CURATOR, Role.REVIEWER, Role.LAUNCHER, Role.OWNER]


@pytest.mark.parametrize("held", LADDER)
@pytest.mark.parametrize("asked", LADDER)
def test_each_role_includes_those_below_it_and_no_other(held, asked):
    assert held.includes(asked) == (LADDER.index(held) >= LADDER.index(asked))


@pytest.mark.parametrize("role", LADDER)
def test_at_least_lists_the_roles_from_there_up(role):
    assert Role.at_least(role) == LADDER[LADDER.index(role) :]


@pytest.mark.django_db
@pytest.mark.parametrize("held", LADDER)
@pytest.mark.parametrize("asked", LADDER)
def test_the_database_and_the_ladder_agree(held, asked):
    team = make_team()
    user = make_member(held, team)

    visible = Team.objects.visible_to(user, asked).filter(pk=team.pk).exists()

    assert visible == held.includes(asked) == has_role(user, team, asked)


@pytest.mark.django_db
def test_a_member_sees_the_own_team_and_no_other():
    ours, _theirs = make_team(), make_team()
    assert list(Team.objects.visible_to(make_member(Role.OWNER, ours))) == [ours]


@pytest.mark.django_db
def test_a_role_counts_in_its_own_team_only():
    ours, theirs = make_team(), make_team()
    user = make_member(Role.OWNER, ours)
    Membership.objects.create(team=theirs, user=user, role=Role.VIEWER)

    assert list(Team.objects.visible_to(user, Role.OWNER)) == [ours]
    assert not has_role(user, theirs, Role.CURATOR)


@pytest.mark.django_db
def test_an_inactive_user_sees_nothing_even_as_superuser():
    user = make_user(is_superuser=True, is_active=False)
    team = make_team()

    assert not Team.objects.visible_to(user).exists()
    assert not has_role(user, team, Role.VIEWER)
    assert not has_role_anywhere(user, Role.VIEWER)


@pytest.mark.django_db
def test_a_superuser_has_every_role_in_every_team():
    assert has_role(make_user(is_superuser=True), make_team(), Role.OWNER)


@pytest.mark.django_db
def test_a_user_without_team_has_no_role_anywhere():
    assert not has_role_anywhere(make_user(), Role.VIEWER)


@pytest.mark.django_db
def test_a_refusal_names_the_missing_role_and_the_team():
    team = make_team(name="Card players")
    user = make_member(Role.VIEWER, team)
    with pytest.raises(PermissionDenied, match="“owner” in the team “Card players”"):
        require_role(user, team, Role.OWNER)


@pytest.mark.django_db
def test_the_role_that_suffices_passes():
    team = make_team()
    require_role(make_member(Role.CURATOR, team), team, Role.CURATOR)
