"""What helps a database with very many rows at a time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import TextField
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


def keep_in_memory() -> None:
    """Let PostgreSQL keep what triggers look at in memory until the commit.

    Else it writes the rows of a batch, as they were and as they are, to a file first.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")


def texts_in(values: Iterable[str]) -> RawSQL:
    """For `field__in` with thousands of texts: one parameter instead of as many.

    Django alone takes longer for as many parameters than the database for its work.
    """
    listed, field = list(values), TextField()
    if connection.vendor == "sqlite":
        text = str(exact_json.dumps(listed))
        return RawSQL("SELECT value FROM json_each(%s)", [text], field)
    return RawSQL("SELECT unnest(%s::text[])", [listed], field)
