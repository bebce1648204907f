"""Puts the triggers in place after every migration.

Not in a migration: SQLite changes a table by making a new one, and its triggers go with
the old one. So they are taken off before migrations run, and put back afterwards.
"""

from typing import Any

from django.db import connections, transaction
from django.db.models.signals import post_migrate, pre_migrate

from datasets_app.database import compression, counters, storage, text_index

EXAMPLES = "datasets_app_example"
TABLES = {EXAMPLES, counters.TABLE, text_index.QUEUE, storage.LINKS}
TRIGGERS = (*counters.NAMES, *text_index.NAMES)


def connect(app_config: Any) -> None:
    pre_migrate.connect(_before, sender=app_config, dispatch_uid="triggers off")
    post_migrate.connect(_after, sender=app_config, dispatch_uid="triggers on")


def _before(using: str, plan: Any = None, **_kwargs: Any) -> None:
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        remove(connection)


def _after(using: str, **_kwargs: Any) -> None:
    connection = connections[using]
    if set(connection.introspection.table_names()) >= TABLES:
        with transaction.atomic(using=using):
            install(connection)


def install(connection: Any) -> None:
    """Triggers as this release has them; if there were none, all rows are counted."""
    text_index.create(connection)
    is_postgresql = connection.vendor == "postgresql"
    parts: tuple[Any, ...] = (counters, text_index)
    storage.install(connection)
    missing = not set(TRIGGERS) <= _triggers(connection)
    remove(connection)
    with connection.cursor() as cursor:
        for part in parts:
            for sql in part.POSTGRESQL if is_postgresql else part.SQLITE:
                cursor.execute(sql)
    if is_postgresql:
        compression.pack_quickly(connection)
    if missing:
        counters.recount(connection)


def remove(connection: Any) -> None:
    of_table = f" ON {EXAMPLES}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in TRIGGERS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{of_table}")


def _triggers(connection: Any) -> set[str]:
    known = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(known)
        return {name for (name,) in cursor.fetchall()}
