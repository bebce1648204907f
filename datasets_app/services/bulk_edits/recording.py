"""Revisions of many rows at once, written by the database itself."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BigIntegerField,
    DateTimeField,
    Expression,
    F,
    Func,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.utils.timezone import now

from datasets_app import exact_json
from datasets_app.models import BulkEdit, Example, ExampleRevision
from datasets_app.services.inserting import insert_rows

REVISION_FIELDS = (
    "dataset",
    "example_pk",
    "bulk_edit",
    "changes",
    "created_at",
    "created_by",
)


class _JSON(Func):
    """A function that SQLite and PostgreSQL have under two names."""

    output_field = TextField()
    postgresql_function: str

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, function=self.postgresql_function, **context
        )


class Pair(_JSON):
    """[before, after]"""

    function = "json_array"
    postgresql_function = "json_build_array"


class Changes(_JSON):
    """What a revision keeps: each field with its values before and after."""

    function = "json_object"
    postgresql_function = "json_build_object"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "%(function)s(%(expressions)s)::text"
        return super().as_postgresql(compiler, connection, template=template, **context)


class JSONList(_JSON):
    """All values of a subquery's column as one list."""

    function = "json_group_array"
    postgresql_function = "json_agg"


class AsJSON(Func):
    """A text that is JSON, as JSON."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="json", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "coalesce(%(expressions)s, '[]'::json)"
        return self.as_sql(compiler, connection, template=template, **context)


def changes_of(pairs: Mapping[str, tuple[Any, Any]]) -> Changes:
    """An expression from each field's value before and after."""
    arguments: list[Any] = []
    for name, (before, after) in pairs.items():
        arguments += [Value(name), Pair(_expression(before), _expression(after))]
    return Changes(*arguments)


def _expression(value: Any) -> Any:
    if isinstance(value, F | Expression | Subquery):
        return value
    if isinstance(value, bool):  # SQLite would write 0 and 1
        return AsJSON(Value("true" if value else "false"))
    return Value(value, output_field=TextField()) if value is None else Value(value)


def record(edit: BulkEdit, rows: QuerySet[Example], changes: Changes) -> int:
    """One revision for each of the rows; returns how many these are."""
    selected = rows.order_by().values_list(
        Value(edit.dataset_id),
        F("pk"),
        Value(edit.pk),
        changes,
        Value(now(), output_field=DateTimeField()),
        Value(edit.created_by_id, output_field=BigIntegerField()),
    )
    quote = connection.ops.quote_name
    meta = ExampleRevision._meta
    columns = [quote(str(meta.get_field(name).column)) for name in REVISION_FIELDS]  # type: ignore[union-attr]
    try:
        sql, params = selected.query.sql_with_params()
    except EmptyResultSet:  # none of the rows can be meant
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(meta.db_table)} ({', '.join(columns)}) {sql}",  # noqa: S608
            params,
        )
        return cursor.rowcount


def insert_revisions(edit: BulkEdit, changes: Mapping[int, Mapping[str, Any]]) -> None:
    """The same for changes, by the rows' keys, that only we know."""
    time = connection.ops.adapt_datetimefield_value(now())
    insert_rows(
        ExampleRevision,
        REVISION_FIELDS,
        (
            (edit.dataset_id, pk, edit.pk)
            + (str(exact_json.dumps(each)), time, edit.created_by_id)
            for pk, each in changes.items()
        ),
    )
