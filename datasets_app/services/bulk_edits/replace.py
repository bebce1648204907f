"""Find and replace in many conversations."""

from typing import Any

from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.pattern_texts import what_is_wrong
from datasets_app.replacing import FIELDS, BadPattern, Replacing, TooMuch
from datasets_app.services.bulk_edits.contents import ContentEdit
from datasets_app.services.errors import BadEdit

CONVERSATIONS = ("messages", "preferred_output", "non_preferred_output")


class Replace(ContentEdit):
    """`params`: those of `Replacing`. A row that would become too long is left out."""

    code = BulkKind.REPLACE

    def clean(self, edit: BulkEdit) -> None:
        replacing = replacing_of(edit.params)
        if not replacing.fields:
            raise BadEdit(_("Choose where to look."))
        try:
            replacing.check()
        except BadPattern as exc:
            raise BadEdit(what_is_wrong(exc)) from exc

    def edit(self, edit: BulkEdit, example: Example) -> None:
        for name, value in replaced(example, replacing_of(edit.params)).items():
            setattr(example, name, value)


def replacing_of(params: dict[str, Any]) -> Replacing:
    return Replacing(
        find=str(params.get("find") or ""),
        replace=str(params.get("replace") or ""),
        is_regex=bool(params.get("is_regex")),
        ignore_case=bool(params.get("ignore_case")),
        roles=frozenset(params.get("roles") or ()),
        fields=frozenset(params.get("fields") or ()) & frozenset(FIELDS),
    )


def replaced(example: Example, replacing: Replacing) -> dict[str, Any]:
    """The fields that change, with their new values; none if it would be too much."""
    try:
        new = {n: replacing.in_messages(getattr(example, n)) for n in CONVERSATIONS}
    except TooMuch:
        return {}
    return {
        name: value
        for name, value in new.items()
        if value is not getattr(example, name)
    }
