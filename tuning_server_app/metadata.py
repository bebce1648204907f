"""The key–value pairs that a client may attach to a row, and finding rows by them."""

import re
from typing import Any, TypeVar

from django.db.models import CharField, F, Func, Model, Q, QuerySet, Value
from django.http import QueryDict

from tuning_server_app.errors import ApiError, invalid

Row = TypeVar("Row", bound=Model)

MAX_PAIRS = 16
MAX_KEY = 64
MAX_VALUE = 512
FILTER = re.compile(r"metadata\[(.*)\]", re.DOTALL)


def check_metadata(metadata: object) -> dict[str, str] | None:
    """The pairs as they came, or None.

    Raises:
        ApiError: too many, too long, or not text.
    """
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or len(metadata) > MAX_PAIRS:
        raise _refused(f"metadata must be an object with at most {MAX_PAIRS} pairs.")
    for key, value in metadata.items():
        if len(key) > MAX_KEY:
            raise _refused(f"metadata key '{key[:20]}…' is over {MAX_KEY} characters.")
        if not isinstance(value, str) or len(value) > MAX_VALUE:
            raise _refused(
                f"metadata['{key}'] must be a string of at most {MAX_VALUE} characters."
            )
    return metadata


def filter_by_metadata(rows: QuerySet[Row], query: QueryDict) -> QuerySet[Row]:
    """The rows with every `metadata[key]=value`; `metadata=null`: those with none."""
    if query.get("metadata") == "null":
        return rows.filter(Q(metadata__isnull=True) | Q(metadata={}))
    for name, value in query.items():
        match = FILTER.fullmatch(name)
        if match:
            paired: Any = rows.alias(value=_MetadataValue(match[1]))
            rows = paired.filter(value=str(value))
    return rows


class _MetadataValue(Func):
    """One pair's value. Django's own key lookup reads the key "1" as a list index."""

    output_field = CharField()
    function = "jsonb_extract_path_text"

    def __init__(self, key: str) -> None:
        super().__init__(F("metadata"), Value(key))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(SELECT value FROM json_each(%(expressions)s))"
        joined = " ) WHERE key = ("  # json_each(column) WHERE key = (name)
        return super().as_sql(
            compiler, connection, template=template, arg_joiner=joined, **context
        )


def _refused(message: str) -> ApiError:
    return invalid(message, param="metadata")
