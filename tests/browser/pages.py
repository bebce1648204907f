"""Every page that must be usable by all; a new page adds its line here."""

from collections.abc import Callable

from django.urls import reverse

from teams_app.models import Team

# URL names that need no row.
PLAIN = [
    "home",
    "account:tokens",
    "account:password",
    "datasets:list",
    "datasets:new",
    "jobs:list",
    "jobs:new",
    "admin:index",
    "admin:teams_app_team_changelist",
    "admin:teams_app_team_add",
    "admin:teams_app_user_changelist",
    "admin:teams_app_user_add",
]


def team_in_admin(team: Team) -> str:
    return reverse("admin:teams_app_team_change", args=[team.pk])


# Pages of a row: each makes what it shows in the given team and returns the address.
OF_A_ROW: list[Callable[[Team], str]] = [team_in_admin]


def plain(name: str) -> Callable[[Team], str]:
    def address(_team: Team) -> str:
        return reverse(name)

    address.__name__ = name
    return address


PAGES = [plain(name) for name in PLAIN] + OF_A_ROW
