"""API tokens: made and shown once, found again by their hash, revoked. A team's own
settings, each change of which stands in the audit log."""

import hashlib
import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from teams_app import audit
from teams_app.models import ApiToken, Team, User, Verb

TOKEN_PREFIX = "fts_"  # noqa: S105
SHOWN_CHARACTERS = 10
LAST_USED_PRECISION = timedelta(minutes=1)


def make_token(*, user: User, name: str) -> str:
    """The new token in plain text; it is stored hashed and can't be shown again."""
    raw = TOKEN_PREFIX + secrets.token_urlsafe(32)
    prefix, token_hash = raw[:SHOWN_CHARACTERS], hash_token(raw)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user, name=name, prefix=prefix, token_hash=token_hash
        )
        audit.record_of_user(Verb.CREATED, token, user=user, by=user)
    return raw


def user_of_token(raw: str) -> User | None:
    """Whose token it is, or None if it is unknown, revoked, or the user is inactive.

    The lookup compares hashes, so its timing says nothing about a token's characters.
    """
    tokens = ApiToken.objects.select_related("user")
    token = tokens.filter(token_hash=hash_token(raw), user__is_active=True).first()
    if token is None:
        return None
    _note_use(token)
    token.user.acting_token = token.name  # for the audit log
    return token.user


def revoke_token(token: ApiToken) -> None:
    """The page shows a user their own tokens only, so it is the user who revokes."""
    with transaction.atomic():
        audit.record_of_user(Verb.REVOKED, token, user=token.user, by=token.user)
        token.delete()


def hash_token(raw: str) -> str:
    """A plain hash is enough: the token has 256 random bits, nobody can guess it."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _note_use(token: ApiToken) -> None:
    """At most one write a minute, however often a script calls."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - LAST_USED_PRECISION)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now())


# What a team decides for itself, besides its name.
TEAM_SETTINGS = (
    "name",
    "four_eyes",
    "approved_only",
    "launch_limit_usd",
    "month_limit_usd",
    "approve_always",
    "approve_above_limit",
    "approve_unapproved_rows",
)


def save_team(team: Team, *, by: Any) -> None:
    """Store a team's settings, and in the log what they were before."""
    with transaction.atomic():
        before = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        team.save()
        changes = {
            name: [_plain(getattr(before, name)), _plain(getattr(team, name))]
            for name in TEAM_SETTINGS
            if getattr(before, name) != getattr(team, name)
        }
        if changes:
            audit.record(Verb.CHANGED, team, by=by, **changes)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
