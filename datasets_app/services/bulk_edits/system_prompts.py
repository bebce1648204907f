"""The system prompt of many conversations."""

from typing import Any

from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.services.bulk_edits.contents import ContentEdit
from datasets_app.services.errors import BadEdit

SYSTEM_ROLES = ("system", "developer")
ADD, SET, REMOVE = "add", "set", "remove"
LONGEST_PROMPT = 100_000
LONGEST_NUMBER = 9  # of a message; a hostile row may have any key


class SetSystemPrompt(ContentEdit):
    """`params`: `how`, and the `text`.

    "add": only where there is none; "set": everywhere, in place of another; "remove".
    """

    code = BulkKind.SYSTEM_PROMPT

    def clean(self, edit: BulkEdit) -> None:
        how, text = edit.params.get("how"), str(edit.params.get("text") or "")
        if how not in (ADD, SET, REMOVE):
            raise BadEdit(_("Choose what to do with the system prompt."))
        if how != REMOVE and not text.strip():
            raise BadEdit(_("Write the system prompt."))
        if len(text) > LONGEST_PROMPT:
            raise BadEdit(_("The system prompt is too long."))
        edit.params = {"how": how, "text": "" if how == REMOVE else text}

    def edit(self, edit: BulkEdit, example: Example) -> None:
        if not isinstance(example.messages, list):
            return
        first: Any = example.messages[0] if example.messages else None
        has_prompt = isinstance(first, dict) and first.get("role") in SYSTEM_ROLES
        if edit.params["how"] == REMOVE:
            if has_prompt:
                example.messages = example.messages[1:]
                example.extra = _renumbered(example.extra, -1)
        elif not has_prompt:
            prompt = {"role": "system", "content": edit.params["text"]}
            example.messages = [prompt, *example.messages]
            example.extra = _renumbered(example.extra, 1)
        elif edit.params["how"] == SET:
            prompt = {**first, "content": edit.params["text"]}
            example.messages = [prompt, *example.messages[1:]]


def _moved(key: str, by: int) -> str:
    is_number = key.isdecimal() and len(key) <= LONGEST_NUMBER
    return str(int(key) + by) if is_number else key


def _renumbered(extra: Any, by: int) -> Any:
    """Further keys of messages are kept under their numbers, which move, too."""
    if not isinstance(extra, dict) or not isinstance(extra.get("messages"), dict):
        return extra
    moved = {_moved(key, by): note for key, note in extra["messages"].items()}
    moved.pop("0", None)
    rest = {key: value for key, value in extra.items() if key != "messages"}
    return {**rest, **({"messages": moved} if moved else {})} or None
