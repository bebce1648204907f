from typing import Any

from django.http import HttpRequest

from teams_app.scoped_admin import TeamScopedAdmin


class ReadOnlyAdmin(TeamScopedAdmin):
    """Rows that services write; an owner may delete them, nobody edits them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
