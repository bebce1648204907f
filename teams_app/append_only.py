"""The database keeps the audit log as it was written: by triggers, so that no door, no
shell and no mistake of ours changes or deletes a line.

They are put in place after every migration and taken off before, because SQLite changes
a table by making a new one.
"""

from typing import Any

from django.db import connections, transaction
from django.db.models.signals import post_migrate, pre_migrate

TABLE = "teams_app_auditentry"
MESSAGE = "the audit log is only ever added to"
SQLITE = (
    *(
        f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON {TABLE}"
        f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        for act in ("UPDATE", "DELETE")
    ),
)
POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION teams_app_keep_audit() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$
    """,
    *(
        f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON {TABLE}"
        " FOR EACH STATEMENT EXECUTE FUNCTION teams_app_keep_audit()"
        for act in ("UPDATE", "DELETE", "TRUNCATE")
    ),
)
NAMES = ("audit_no_update", "audit_no_delete", "audit_no_truncate")


def connect(app_config: Any) -> None:
    pre_migrate.connect(_before, sender=app_config, dispatch_uid="audit open")
    post_migrate.connect(_after, sender=app_config, dispatch_uid="audit closed")


def _before(using: str, plan: Any = None, **_kwargs: Any) -> None:
    if plan:
        remove(connections[using])


def _after(using: str, **_kwargs: Any) -> None:
    if TABLE in connections[using].introspection.table_names():
        with transaction.atomic(using=using):
            install(connections[using])


def install(connection: Any) -> None:
    remove(connection)
    with connection.cursor() as cursor:
        for sql in POSTGRESQL if connection.vendor == "postgresql" else SQLITE:
            cursor.execute(sql)


def remove(connection: Any) -> None:
    of_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{of_table}")
