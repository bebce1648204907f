"""The words for an audit entry's facts: whatever a door noted besides who and what."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from teams_app.models import Team
from teams_app.services import TEAM_SETTINGS

WORDS = {
    **{
        name: Team._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        for name in TEAM_SETTINGS
    },
    "base_model": _("base model"),
    "base_url": _("base URL"),
    "decision": _("decision"),
    "deployment": _("deployment"),
    "check": _("compatibility check"),
    "edit": _("bulk edit"),
    "fields": _("fields"),
    "file": _("file"),
    "format": _("format"),
    "freeze": _("freeze"),
    "job": _("fine-tuning job"),
    "kind": _("kind"),
    "may_cost": _("may cost money"),
    "name": _("name"),
    "place": _("address"),
    "query": _("what is filtered"),
    "role": _("role"),
    "row": _("row"),
    "scheduled_for": _("to be launched"),
    "split": _("split"),
    "state": _("state"),
    "token": _("API token"),
    "user": _("user"),
    "usd": _("estimate in USD"),
}


def facts_of(details: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each fact, to be read; unknown names stay as they are."""
    return [
        (str(WORDS.get(name, name)), _told(name, value))
        for name, value in details.items()
    ]


def _told(name: str, value: Any) -> str:
    """A list is what it was and what it became; of fields, their names."""
    if isinstance(value, list):
        words = [_word(each) for each in value]
        if name == "fields":
            return ", ".join(str(WORDS.get(word, word)) for word in words)
        return " → ".join(words)
    return _word(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return "–" if value is None else str(value)
