"""Rows for tests: `make_x(**overrides)`, each with just what it needs to exist."""

from itertools import count
from typing import Any

from teams_app.models import Membership, Role, Team, User

_numbers = count(1)


def make_team(**overrides: Any) -> Team:
    n = next(_numbers)
    return Team.objects.create(
        **{"name": f"Team {n}", "slug": f"team-{n}", **overrides}
    )


def make_user(**overrides: Any) -> User:
    return User.objects.create_user(
        **{"username": f"user-{next(_numbers)}", **overrides}
    )


def make_member(role: Role, team: Team | None = None, **overrides: Any) -> User:
    """A user who has `role` in `team` (a new one if none is given)."""
    user = make_user(**overrides)
    Membership.objects.create(team=team or make_team(), user=user, role=role)
    return user
