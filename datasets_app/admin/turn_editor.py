"""The widget that edits a conversation turn by turn.

It is a text area with the conversation's JSON, which works without JavaScript;
static/editor/ puts the turns in its place.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext as _


class TurnEditor(forms.Textarea):
    class Media:
        css = {"all": ["turn-editor.css"]}
        js = [forms.Script("editor/main.js", type="module")]

    def __init__(self, *, output: bool = False) -> None:
        """`output`: edits one answer of a DPO row, not a whole conversation."""
        self.is_output = output
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        added = {
            "rows": 6 if self.is_output else 24,
            "spellcheck": "false",
            "class": "turn-editor__json",
            "data-turn-editor": "output" if self.is_output else "conversation",
        }
        return super().get_context(name, value, {**(attrs or {}), **added})


def words(roles: tuple[str, ...]) -> dict[str, Any]:
    """What the editor says, in the viewer's language. {0}, {1} … are filled in."""
    named = _role_names()
    return {
        "roles": {role: named[role] for role in roles},
        **_turn_words(),
        **_call_words(),
        **_image_words(),
        **_json_words(),
        **_draft_words(),
    }


def _role_names() -> dict[str, str]:
    return {
        "developer": _("developer"),
        "system": _("system"),
        "user": _("user"),
        "assistant": _("assistant"),
        "tool": _("tool"),
        "function": _("function"),
    }


def _turn_words() -> dict[str, str]:
    return {
        "turn": _("Turn"),
        "answer": _("Answer"),
        "role": _("Role"),
        "content": _("Text"),
        "part": _("Part"),
        "removePart": _("Remove this part"),
        "weight": _("Learnt"),
        "learnt": _("yes"),
        "notLearnt": _("no (weight 0)"),
        "name": _("Name"),
        "addName": _("Add a name"),
        "more": _("Other keys, as JSON"),
        "add": _("Add a turn"),
        "insert": _("Insert a turn below"),
        "duplicate": _("Duplicate this turn"),
        "remove": _("Remove this turn"),
        "up": _("Move up"),
        "down": _("Move down"),
        "drag": _("Drag turn"),
        "dragHow": _(
            "Drag this turn to another place. On the keyboard: Enter takes it up, the "
            "arrows move it, Enter puts it down, Escape puts it back."
        ),
        "held": _("Taken up. The arrows move the turn; Enter puts it down."),
        "dropped": _("Put down."),
        "backAgain": _("Put back where it was."),
        "removed": _("Turn removed."),
        "undo": _("Undo"),
        "tokens": _("tokens"),
        "tooBig": _(
            "The example has {0} MB; at most {1} MB can be stored. Nothing is lost: "
            "make an image smaller, or split the conversation."
        ),
        "noProblems": _("None: the row keeps to the format."),
        "notChecked": _(
            "The row could not be checked: the server did not answer, or you are "
            "signed out. What you typed is still here."
        ),
    }


def _call_words() -> dict[str, str]:
    return {
        "call": _("Tool call"),
        "functionCall": _("Function call (the old form)"),
        "addCall": _("Add a tool call"),
        "removeCall": _("Remove this call"),
        "callId": _("Id"),
        "function": _("Function"),
        "answers": _("Answers the call"),
        "arguments": _("Arguments"),
        "argumentsAsJson": _("Arguments as JSON"),
        "argumentsAsFields": _("Arguments as fields"),
    }


def _image_words() -> dict[str, str]:
    return {
        "imageFile": _("Image from a file…"),
        "imageByAddress": _("Image by its address"),
        "imageAddress": _("Address of the image"),
        "imageAlt": _("image of this turn"),
        "showImage": _("Show the image: {0} will learn that somebody looks"),
        "imageNotShown": _("This image is no JPEG, PNG or WEBP, and is not shown."),
        "imageNoAddress": _("Write an address that begins with https:// ."),
        "imageBroken": _("The image could not be loaded."),
        "imageTooBig": _("{0} is larger than 10 MB. Providers refuse such an image."),
        "imageWrongType": _("{0} is no JPEG, PNG or WEBP. Providers take no other."),
    }


def _json_words() -> dict[str, Any]:
    return {
        "line": _("Line"),
        "badJson": _("This is not valid JSON for this place."),
        "jsonAt": _("Line {0}, column {1}: {2}"),
        "json": {
            "value": _("here should be a value."),
            "string": _("this text does not end, or has a forbidden character."),
            "number": _("this number cannot be kept exactly."),
            "key": _("here should be a key in quotation marks."),
            "twice": _("this key stands twice in one object."),
            "colon": _("here should be a colon."),
            "comma": _("here should be a comma or the closing bracket."),
            "end": _("here should be nothing more."),
            "deep": _("this is nested too deep."),
        },
        "showJson": _("Edit the whole row as JSON"),
        "wholeRow": _("The whole row as JSON"),
        "showTurns": _("Edit turn by turn"),
        "cannotShow": _("This JSON is no list of messages; mend it here first."),
    }


def _draft_words() -> dict[str, str]:
    return {
        "draftFound": _("There is unsaved work of yours from {0}."),
        "draftTurns": _("{0}: turns that differ: {1} (now {2}, in the draft {3})"),
        "draftRestore": _("Take it up again"),
        "draftDiscard": _("Discard it"),
        "draftTooBig": _(
            "This browser has no room to keep the unsaved work: save before you close "
            "the page."
        ),
    }
