"""How tables are stored, where Django has no word for it."""

from typing import Any

LINKS = "datasets_app_example_tags"
# The examples of a tag, in their order.
TAGGED = f"CREATE INDEX IF NOT EXISTS example_tagged ON {LINKS} (tag_id, example_id)"


def install(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TAGGED)
        for name in _needless_indexes(connection, cursor):
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")


def _needless_indexes(connection: Any, cursor: Any) -> list[str]:
    """Those of one column, with which another index begins: each link writes them."""
    found = connection.introspection.get_constraints(cursor, LINKS)
    return [
        name
        for name, each in found.items()
        if each["index"] and not each["unique"] and len(each["columns"]) == 1
    ]
