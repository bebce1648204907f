"""API tokens: made and shown once, found again by their hash, revoked."""

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from teams_app.models import ApiToken, User

TOKEN_PREFIX = "fts_"  # noqa: S105
SHOWN_CHARACTERS = 10
LAST_USED_PRECISION = timedelta(minutes=1)


def make_token(*, user: User, name: str) -> str:
    """The new token in plain text; it is stored hashed and can't be shown again."""
    raw = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user, name=name, prefix=raw[:SHOWN_CHARACTERS], token_hash=hash_token(raw)
    )
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
    return token.user


def revoke_token(token: ApiToken) -> None:
    token.delete()


def hash_token(raw: str) -> str:
    """A plain hash is enough: the token has 256 random bits, nobody can guess it."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _note_use(token: ApiToken) -> None:
    """At most one write a minute, however often a script calls."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - LAST_USED_PRECISION)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now())
