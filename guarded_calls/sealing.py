"""Texts that are unreadable in the database file and in backups.

The keys are derived from the site's secret keys: the first encrypts, all decrypt.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class UnreadableSecret(Exception):
    """The stored text was encrypted with another SECRET_KEY."""


def seal(text: str, secret_keys: Iterable[str]) -> str:
    return _fernet(tuple(secret_keys)).encrypt(text.encode()).decode()


def unseal(sealed: str, secret_keys: Iterable[str]) -> str:
    """Raises UnreadableSecret."""
    try:
        return _fernet(tuple(secret_keys)).decrypt(sealed.encode()).decode()
    except InvalidToken as exc:
        raise UnreadableSecret(
            "The stored key cannot be read: it was encrypted with another SECRET_KEY. "
            "Put the former one into SECRET_KEY_FALLBACKS, or enter the key anew."
        ) from exc


@cache
def _fernet(secret_keys: tuple[str, ...]) -> MultiFernet:
    def derive(secret: str) -> Fernet:
        key = HKDF(SHA256(), 32, salt=None, info=b"finetune-site column")
        return Fernet(urlsafe_b64encode(key.derive(secret.encode())))

    return MultiFernet([derive(secret) for secret in secret_keys])
