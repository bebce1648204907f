"""Putting a tag on rows, and taking one off."""

from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.database.bulk import keys_in
from datasets_app.models import BulkEdit, BulkKind, Example, Tag
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import (
    AsJSON,
    JSONList,
    changes_of,
    record,
)
from datasets_app.services.errors import BadEdit

Links = Example.tags.through
LONGEST_NAME = 50


class _TagEdit(Kind):
    """`params` holds the tag's `name`."""

    def clean(self, edit: BulkEdit) -> None:
        name = str(edit.params.get("name") or "").strip()
        if not name or len(name) > LONGEST_NAME:
            raise BadEdit(_("Name the tag, in up to 50 characters."))
        edit.params = {"name": name}

    def _tag(self, edit: BulkEdit) -> Tag:
        team = edit.dataset.team_id
        return Tag.objects.get_or_create(team_id=team, name=edit.params["name"])[0]


def touch(edit: BulkEdit, rows: QuerySet[Example]) -> int:
    """Say of the rows who changed them, and when."""
    return rows.update(updated_at=now(), updated_by=edit.created_by_id)


def _linked(tag: Tag) -> Exists:
    return Exists(Links.objects.filter(example=OuterRef("pk"), tag=tag))


def _names(which: Q) -> Any:
    """The names of the tags, as a list; the row is two queries further out."""
    names = Tag.objects.filter(which).order_by().annotate(names=JSONList(F("name")))
    return AsJSON(Subquery(names.values("names")))


def _own() -> Q:
    return Q(
        pk__in=Links.objects.filter(example=OuterRef(OuterRef("pk"))).values("tag")
    )


class PutTag(_TagEdit):
    code = BulkKind.TAG

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        tag = self._tag(edit)
        rows = Example.objects.filter(~_linked(tag), pk__in=keys_in(pks))
        pairs = {"tags": (_names(_own()), _names(_own() | Q(pk=tag.pk)))}
        if record(edit, rows, changes_of(pairs)):
            touch(edit, rows)
        return Outcome(_link(rows, tag))


def _link(rows: QuerySet[Example], tag: Tag) -> int:
    selected = rows.order_by().values_list(F("pk"), Value(tag.pk))
    sql, params = selected.query.sql_with_params()
    table = connection.ops.quote_name(Links._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (example_id, tag_id) {sql}",  # noqa: S608
            params,
        )
        return cursor.rowcount


class TakeTagOff(_TagEdit):
    code = BulkKind.UNTAG

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        tag = self._tag(edit)
        rows = Example.objects.filter(_linked(tag), pk__in=keys_in(pks))
        pairs = {"tags": (_names(_own()), _names(_own() & ~Q(pk=tag.pk)))}
        n_changed = record(edit, rows, changes_of(pairs))
        if n_changed:
            touch(edit, rows)
            Links.objects.filter(tag=tag, example__in=pks).delete()
        return Outcome(n_changed)
