"""A JSON column that gives back exactly what was put in."""

from typing import Any

from django.db import models

from datasets_app import exact_json


class ExactJSONField(models.JSONField):
    """JSON in a text column.

    PostgreSQL's jsonb would sort the keys and rewrite the numbers, so that a frozen
    file were not what was imported; and freezing copies this text without parsing it.
    """

    def db_type(self, connection: Any) -> str:
        return "text"

    def db_check(self, connection: Any) -> None:
        """None: only `dumps` writes here, so the database need not parse it again."""

    def get_db_prep_value(
        self, value: Any, connection: Any, prepared: bool = False
    ) -> str | None:
        return None if value is None else str(exact_json.dumps(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else exact_json.loads(value)
