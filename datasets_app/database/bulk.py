"""What helps a database with very many rows at a time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Field, TextField
from django.db.models.expressions import RawSQL

from datasets_app import exact_json

CACHE_KIB = 32_000  # a batch of an import with the pages of all indexes it changes


@contextmanager
def roomy_cache() -> Iterator[None]:
    """Let SQLite keep what one transaction changes in memory until the commit.

    Else it writes pages to the disk several times. Only while the block runs: every
    connection has a cache of its own.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        (usual,) = cursor.fetchone()
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA cache_size = {usual}")


def texts_in(values: Iterable[str]) -> RawSQL:
    """For `field__in` with thousands of texts: one parameter instead of as many.

    Django alone takes longer for as many parameters than the database for its work.
    """
    return _listed(list(values), "text", TextField())


def keys_in(keys: Iterable[int]) -> RawSQL:
    """The same for `pk__in`."""
    return _listed(list(keys), "bigint", BigIntegerField())


def _listed(values: list[Any], type_name: str, field: Field) -> RawSQL:
    if connection.vendor == "sqlite":
        listed = str(exact_json.dumps(values))
        return RawSQL("SELECT value FROM json_each(%s)", [listed], field)  # noqa: S611
    return RawSQL(f"SELECT unnest(%s::{type_name}[])", [values], field)  # noqa: S611
