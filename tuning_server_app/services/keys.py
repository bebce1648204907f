"""Bearer keys: made once, kept as hashes, revoked."""

import hashlib
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from tuning_server_app import ids
from tuning_server_app.models import ApiKey, Organization

# "Last used" is for people: a write a minute tells them enough.
USE_NOTED_EVERY = timedelta(minutes=1)


class KeyNameTaken(Exception):
    """The organization has a valid key of this name already."""


class KeyUnknown(Exception):
    """The organization has no valid key of this name."""


def create_key(name: str, organization: str) -> str:
    """A new key of the organization, which is made if it is missing.

    Returns:
        the key itself. Only its hash is kept, so this is the one time to show it.

    Raises:
        KeyNameTaken: revoke the old key first, or choose another name.
    """
    owner, _created = Organization.objects.get_or_create(slug=organization)
    return issue_key(ApiKey(organization=owner, name=name))


def issue_key(key: ApiKey) -> str:
    """Give the new row its secret and store it.

    Returns:
        the secret. Only its hash is kept, so this is the one time to show it.

    Raises:
        KeyNameTaken
    """
    secret = ids.secret_key()
    key.prefix, key.key_hash = secret[:8], _hash(secret)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise name_taken(key) from error
    return secret


def is_name_taken(key: ApiKey) -> bool:
    return ApiKey.objects.filter(
        organization=key.organization, name=key.name, revoked_at=None
    ).exists()


def name_taken(key: ApiKey) -> KeyNameTaken:
    text = _(
        "There is a key named “%(name)s” in %(organization)s already."
        " Revoke it first or choose another name."
    )
    return KeyNameTaken(
        text % {"name": key.name, "organization": key.organization.slug}
    )


def find_key(secret: str) -> ApiKey | None:
    """The valid key with this secret, its use noted."""
    key = (
        ApiKey.objects.select_related("organization")
        .filter(key_hash=_hash(secret), revoked_at=None)
        .first()
    )
    if key is not None:
        _note_use(key)
    return key


def revoke_key(name: str, organization: str) -> None:
    """Make the key useless, for good.

    Raises:
        KeyUnknown: there is no valid key of this name.
    """
    keys = ApiKey.objects.filter(
        name=name, organization__slug=organization, revoked_at=None
    )
    if not keys.update(revoked_at=now()):
        raise KeyUnknown(
            _("There is no valid key named “%(name)s” in %(organization)s.")
            % {"name": name, "organization": organization}
        )


def _note_use(key: ApiKey) -> None:
    if key.last_used_at is None or key.last_used_at < now() - USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
