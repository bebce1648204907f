"""The widget that edits a conversation turn by turn.

It is a text area with the conversation's JSON, which works without JavaScript;
static/turn-editor.js puts the turns in its place.
"""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _


class TurnEditor(forms.Textarea):
    class Media:
        css = {"all": ["turn-editor.css"]}
        js = [forms.Script("turn-editor.js", defer=True)]

    def __init__(self, *, output: bool = False) -> None:
        """`output`: edits one answer of a DPO row, not a whole conversation."""
        self.is_output = output
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        added = {
            "rows": 6 if self.is_output else 24,
            "spellcheck": "false",
            "class": "turn-editor__json",
            "data-turn-editor": json.dumps(_words(), ensure_ascii=False),
        }
        return super().get_context(name, value, {**(attrs or {}), **added})


def _words() -> dict[str, Any]:
    """What the editor says, in the viewer's language."""
    return {
        "roles": {
            "system": _("system"),
            "user": _("user"),
            "assistant": _("assistant"),
            "tool": _("tool"),
            "function": _("function"),
        },
        "turn": _("Turn"),
        "role": _("Role"),
        "content": _("Text"),
        "weight": _("Learnt"),
        "learnt": _("yes"),
        "notLearnt": _("no (weight 0)"),
        "more": _("Other keys, as JSON (tool_calls, tool_call_id, name …)"),
        "parts": _("This text has parts; edit it as JSON."),
        "badJson": _("This is not a JSON object."),
        "add": _("Add a turn"),
        "insert": _("Insert a turn below"),
        "remove": _("Remove this turn"),
        "up": _("Move up"),
        "down": _("Move down"),
        "showJson": _("Edit as JSON"),
        "showTurns": _("Edit turn by turn"),
        "cannotShow": _("This JSON is no list of messages; mend it here first."),
        "removed": _("Turn removed."),
        "undo": _("Undo"),
    }
