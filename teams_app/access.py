"""The questions every door asks: whose row is this, and may this person?"""

from functools import reduce
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from teams_app.models import Membership, Role, Team

DEFAULT_TEAM_SLUG = "default"


def team_of(row: Model) -> Team:
    """The team that owns a row, by its model's TEAM_PATH."""
    path = row.TEAM_PATH  # type: ignore[attr-defined]
    return row if path == "pk" else reduce(getattr, path.split("__"), row)  # type: ignore[return-value]


def roles_of(user: Any) -> dict[int, Role]:
    """Team id → role, read once per user object (a request makes a new one)."""
    if not hasattr(user, "_roles"):
        rows = Membership.objects.filter(user=user).values_list("team_id", "role")
        user._roles = {team_id: Role(role) for team_id, role in rows}
    return user._roles


def has_role(user: Any, row: Model, role: Role) -> bool:
    """May `user` do in the row's team what `role` may do?"""
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    held = roles_of(user).get(team_of(row).pk)
    return held is not None and held.includes(role)


def has_role_anywhere(user: Any, role: Role) -> bool:
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    return any(held.includes(role) for held in roles_of(user).values())


def require_role(user: Any, row: Model, role: Role) -> None:
    """Raise PermissionDenied, saying which role is missing and who can give it."""
    if not has_role(user, row, role):
        raise PermissionDenied(
            _(
                "This needs the role “%(role)s” in the team “%(team)s”. "
                "An owner of the team can give it to you."
            )
            % {"role": role.label, "team": team_of(row)}
        )


def default_team() -> Team:
    """The team that a single-team installation works in; made at the first start."""
    team, _created = Team.objects.get_or_create(
        slug=DEFAULT_TEAM_SLUG, defaults={"name": "Default team"}
    )
    return team
