"""Hostile text in every field that people, files and providers fill, whatever it is."""

import json
from typing import Any

from django.apps import apps
from django.db import connection, models

from datasets_app.fields import ExactJSONField
from jobs_app.encryption import EncryptedTextField
from teams_app import append_only

# Breaks out of attributes, elements, scripts and templates; what runs says so. The
# beginning is what fits in the shortest field: it ends an isolation, and has all that
# follows written from right to left.
SUM = "76430"  # what a template would make of it
TEXT = (
    "\u2069\u202e\"' hostile=1 '\"><x-x>{{7|add:76423}}\u202e\x01</script></title>"
    "</textarea>"
    "</style><img src=x onerror=\"top.ran='image'\"><svg onload=\"top.ran='svg'\">"
    "<a href=\"javascript:top.ran='link'\">${70000+6430}<!--<script>top.ran='script'"
    "//</script><iframe srcdoc=\"<script>top.ran='frame'</script>\">\ufeff\u2028"
    '<base href="//foreign.example/"><link rel=stylesheet href="//foreign.example/x">'
    "{% debug %}<form action=//foreign.example>"
    "<button autofocus onfocus=\"top.ran='focus'\">"
)
LINK = "javascript:top.ran='address'//"

# What only our own code writes, in words that it knows and looks things up by.
OURS = {
    "content_hash",
    "counted_with",
    "counter",
    "key",
    "key_base_url",
    "kinds",
    "language",
    "list_after",
    "password",
    "prefix",
    "prompt_language",
    "query",
    "reasons",
    "selection",
    "sha256",
    "token",
    "token_hash",
    "training_sha256",
    "validation_sha256",
    *("jobs_app.heartbeat.name", "jobs_app.jobevent.level", "jobs_app.jobevent.type"),
    *("datasets_app.finding.code", "datasets_app.importproblem.code"),
}
APPS = ("teams_app", "datasets_app", "jobs_app")
# Words of ours inside JSON; what else is a text there may be anybody's.
OUR_KEYS = {
    *("role", "type", "status", "code", "step", "result", "kind", "mend", "fields"),
    "created_at",
}
# JSON objects in which anybody may have any key.
OPEN = {"messages", "tools", "extra", "error", "data"}


def fill_every_field() -> None:
    """As if all that was ever typed, imported and answered had been an attack."""
    append_only.remove(connection)  # the test's end puts it back
    for model in apps.get_models():
        if model._meta.app_label in APPS:
            _fill(model)


def _fill(model: type[models.Model]) -> None:
    fields = [each for each in model._meta.concrete_fields if _is_theirs(each)]
    table = connection.ops.quote_name(model._meta.db_table)
    for row in model._base_manager.all() if fields else ():
        values = {each.column: _as_stored(each, row) for each in fields}
        changes = ", ".join(f'"{name}" = %s' for name in values)
        key = model._meta.pk.column
        with connection.cursor() as cursor:  # a frozen row is changed by nothing else
            cursor.execute(
                f'UPDATE {table} SET {changes} WHERE "{key}" = %s',  # noqa: S608
                [*values.values(), row.pk],
            )


def _is_theirs(field: models.Field) -> bool:
    is_text = isinstance(field, models.CharField | models.TextField | models.JSONField)
    names = {field.name, f"{field.model._meta.label_lower}.{field.name}"}
    is_secret = isinstance(field, EncryptedTextField | models.SlugField)
    is_ours = bool(names & OURS) or field.name.endswith("_hash")
    return is_text and not (field.choices or is_secret or is_ours)


def _as_stored(field: models.Field, row: models.Model) -> Any:
    value = getattr(row, field.name)
    if isinstance(field, models.JSONField | ExactJSONField):
        spoilt = hostile(value, opened=field.name in OPEN)
        return field.get_db_prep_save(spoilt, connection)
    return f"{row.pk}{TEXT}"[: field.max_length]


def hostile(value: Any, *, opened: bool = False) -> Any:
    """The value with TEXT in each of its texts; opened, under a key of its own, too."""
    if isinstance(value, str):
        return value + TEXT
    if isinstance(value, list):
        return [hostile(each, opened=opened) for each in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: each if key in OUR_KEYS else hostile(each, opened=opened)
        for key, each in value.items()
    }
    if "url" in made:
        made["url"] = LINK
    return {**made, TEXT: TEXT} if opened and value else made


def hostile_lines(lines: bytes) -> bytes:
    """The rows of a file, all of whose texts are attacks."""
    rows = [json.loads(line) for line in lines.splitlines()]
    return b"".join(json.dumps(hostile(row)).encode() + b"\n" for row in rows)
