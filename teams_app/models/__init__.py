"""Who works here, and who did what."""

from teams_app.models.audit import AuditEntry, Door, Thing, Verb
from teams_app.models.people import (
    ApiToken,
    Membership,
    Role,
    Team,
    TeamScopedQuerySet,
    User,
)

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Door",
    "Membership",
    "Role",
    "Team",
    "TeamScopedQuerySet",
    "Thing",
    "User",
    "Verb",
]
