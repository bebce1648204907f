"""How PostgreSQL packs the long texts of examples."""

import pytest
from django.db import connection

from datasets_app.database.compression import pack_quickly

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL packs"),
]
SET = (
    "SELECT attcompression FROM pg_attribute WHERE attname = 'messages'"
    " AND attrelid = 'datasets_app_example'::regclass"
)


def ways() -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute(SET)
        return cursor.fetchall()


def test_texts_are_packed_with_lz4():
    with connection.cursor() as cursor:
        change = "ALTER COLUMN messages SET COMPRESSION pglz"
        cursor.execute(f"ALTER TABLE datasets_app_example {change}")
    assert ways() == [("p",)]

    pack_quickly(connection)

    assert ways() == [("l",)]
