"""A row that a request names by its key."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from teams_app.access import require_role
from teams_app.models import Role

MOST_DIGITS = 18  # every database holds such a number


def get_row(request: HttpRequest, rows: QuerySet[Any], pk: int, role: Role) -> Any:
    """A row of the user's teams, else 404; 403 where the user lacks the role there."""
    row = get_object_or_404(rows.visible_to(request.user), pk=pk)  # type: ignore[attr-defined]
    require_role(request.user, row, role)
    return row


def read_key(text: str) -> int:
    """The key of a row as a request names it; 0, which no row has, for nonsense."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else 0
