"""Revisions in words: what changed, from what to what, for the pages of history."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.related import ForeignKey
from django.utils.dateparse import parse_datetime
from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from datasets_app.models import Example, ExampleRevision
from datasets_app.text_diff import Part, elided, word_diff
from datasets_app.turn_text import pretty, turns_text
from teams_app.models import User

TURNS = ("messages", "preferred_output", "non_preferred_output")
JSON_FIELDS = ("tools", "functions", "extra")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`parts` is the diff of a text; a plain value has `before` and `after`."""

    label: str
    parts: list[Part]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One revision, ready to show."""

    revision: ExampleRevision
    changes: list[FieldChange]
    is_creation: bool

    @property
    def labels(self) -> str:
        return ", ".join(change.label for change in self.changes)


def tell(revisions: Iterable[ExampleRevision], *, with_diffs: bool) -> list[Told]:
    revisions = list(revisions)
    names = _user_names(revisions)
    return [
        Told(
            revision,
            [
                _change(name, before, after, names, with_diffs)
                for name, (before, after) in revision.changes.items()
            ],
            is_creation=_is_creation(revision),
        )
        for revision in revisions
    ]


def _is_creation(revision: ExampleRevision) -> bool:
    before, _after = revision.changes.get("messages", ("", ""))
    return before is None


def _change(
    name: str, before: Any, after: Any, names: dict[Any, str], with_diffs: bool
) -> FieldChange:
    label = label_of(name)
    if name in TURNS or name in JSON_FIELDS:
        as_text = turns_text if name in TURNS else _json_text
        parts = word_diff(as_text(before), as_text(after)) if with_diffs else []
        return FieldChange(label, elided(parts))
    told = (_told(name, value, names) for value in (before, after))
    return FieldChange(label, [], *told)


def label_of(name: str) -> str:
    if name == "tags":
        return _("tags")
    field = Example._meta.get_field(name.removesuffix("_id"))
    return str(getattr(field, "verbose_name", name))


def _json_text(value: Any) -> str:
    return "" if value is None else pretty(value)


def _told(name: str, value: Any, names: dict[Any, str]) -> str:
    """A plain value, in the words that the rest of the page has for it."""
    if name == "tags":
        return ", ".join(value or ())
    if name == "deleted_at":
        moment = parse_datetime(value) if value else None
        return str(localize(localtime(moment))) if moment else "–"
    field = Example._meta.get_field(name.removesuffix("_id"))
    if name == "assignee_id":
        return names.get(value, "–")
    if isinstance(field, ForeignKey):  # an import
        return f"#{value}" if value else "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices = dict(getattr(field, "flatchoices", ()))
    return str(choices.get(value, value or "–"))


def _user_names(revisions: list[ExampleRevision]) -> dict[Any, str]:
    changed = [each.changes.get("assignee_id", ()) for each in revisions]
    ids = {pk for values in changed for pk in values if pk}
    return {u.pk: u.get_username() for u in User.objects.filter(pk__in=ids)}
