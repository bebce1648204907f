"""A text column that is unreadable in the database file and in backups."""

from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class UnreadableSecret(Exception):
    """The stored text was encrypted with another SECRET_KEY."""


@cache
def _fernet(secret_keys: tuple[str, ...]) -> MultiFernet:
    def derive(secret: str) -> Fernet:
        key = HKDF(SHA256(), 32, salt=None, info=b"finetune-site column")
        return Fernet(urlsafe_b64encode(key.derive(secret.encode())))

    return MultiFernet([derive(secret) for secret in secret_keys])


def fernet() -> MultiFernet:
    """Encrypts with SECRET_KEY; decrypts with it or one of SECRET_KEY_FALLBACKS."""
    return _fernet((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


class EncryptedTextField(models.TextField):
    """Text in Python, Fernet token in the database. An empty text stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return fernet().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, *_context: Any) -> str | None:
        if not value:
            return value
        try:
            return fernet().decrypt(value.encode()).decode()
        except InvalidToken as exc:
            raise UnreadableSecret(
                "A stored key cannot be read: it was encrypted with another "
                "SECRET_KEY. Put the former one into SECRET_KEY_FALLBACKS, "
                "or enter the provider's key anew."
            ) from exc
