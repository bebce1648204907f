"""A text column that is unreadable in the database file and in backups."""

from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute


class UnreadableSecret(Exception):
    """The stored text was encrypted with another SECRET_KEY."""


class Sealed(str):
    """A column's ciphertext, as it came out of the database."""


@cache
def _fernet(secret_keys: tuple[str, ...]) -> MultiFernet:
    def derive(secret: str) -> Fernet:
        key = HKDF(SHA256(), 32, salt=None, info=b"finetune-site column")
        return Fernet(urlsafe_b64encode(key.derive(secret.encode())))

    return MultiFernet([derive(secret) for secret in secret_keys])


def fernet() -> MultiFernet:
    """Encrypts with SECRET_KEY; decrypts with it or one of SECRET_KEY_FALLBACKS."""
    return _fernet((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def unseal(sealed: Sealed) -> str:
    try:
        return fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as exc:
        raise UnreadableSecret(
            "The stored key cannot be read: it was encrypted with another SECRET_KEY. "
            "Put the former one into SECRET_KEY_FALLBACKS, or enter the key anew."
        ) from exc


class OpenedOnUse(DeferredAttribute):
    """Decrypts when the attribute is read, so one bad key spoils no list of rows."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return unseal(value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        # Only with a setter does a descriptor go before the instance's own dict.
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):
    """Text in Python, Fernet token in the database. An empty text stays empty."""

    descriptor_class = OpenedOnUse

    def get_lookup(self, lookup_name: str) -> Any:
        """Ciphertext can be asked whether it is empty, and nothing else."""
        allowed = {"exact", "isnull"}
        return super().get_lookup(lookup_name) if lookup_name in allowed else None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return model_instance.__dict__[self.attname]  # what was not read stays sealed

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if not value or isinstance(value, Sealed):
            return value
        return fernet().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, *_context: Any) -> str | None:
        return Sealed(value) if value else value
