"""A text column that is unreadable in the database file and in backups."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from guarded_calls.sealing import seal, unseal


class Sealed(str):
    """A column's ciphertext, as it came out of the database."""


def secret_keys() -> list[str]:
    """SECRET_KEY encrypts; it or one of SECRET_KEY_FALLBACKS decrypts."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


class OpenedOnUse(DeferredAttribute):
    """Decrypts when the attribute is read, so one bad key spoils no list of rows."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return unseal(value, secret_keys()) if isinstance(value, Sealed) else value

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
        return seal(str(value), secret_keys())

    def from_db_value(self, value: str | None, *_context: Any) -> str | None:
        return Sealed(value) if value else value
