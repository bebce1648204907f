from django.db.models import Model
from django.http import HttpRequest

from teams_app.access import has_role
from teams_app.models import Role
from teams_app.rows import get_row

__all__ = ["get_row", "rights"]


def rights(request: HttpRequest, row: Model) -> dict[str, bool]:
    """What the page may offer the user to do with a row."""
    return {
        f"may_{verb}": has_role(request.user, row, role)
        for verb, role in (
            ("curate", Role.CURATOR),
            ("freeze", Role.REVIEWER),
            ("launch", Role.LAUNCHER),
        )
    }
