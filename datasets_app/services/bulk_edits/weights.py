"""Which answers are learnt."""

from typing import Any

from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind, Example
from datasets_app.services.bulk_edits.contents import ContentEdit
from datasets_app.services.errors import BadEdit

ALL, LAST = "all", "last"


class Weigh(ContentEdit):
    """`params`: `learnt`, "all" answers or only the "last" of each conversation."""

    code = BulkKind.WEIGHT

    def clean(self, edit: BulkEdit) -> None:
        if edit.params.get("learnt") not in (ALL, LAST):
            raise BadEdit(_("Choose which answers are learnt."))

    def edit(self, edit: BulkEdit, example: Example) -> None:
        example.messages = weighed(example.messages, edit.params["learnt"])


def weighed(messages: Any, learnt: str) -> Any:
    """New messages: no weights, or 0 on every answer but the last."""
    if not isinstance(messages, list):
        return messages
    answers = [i for i, each in enumerate(messages) if _is_answer(each)]
    unlearnt = set(answers[:-1]) if learnt == LAST else set()
    return [
        _with_weight(each, 0 if i in unlearnt else None) if i in answers else each
        for i, each in enumerate(messages)
    ]


def _is_answer(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _with_weight(message: dict[str, Any], weight: int | None) -> dict[str, Any]:
    bare = {key: value for key, value in message.items() if key != "weight"}
    return bare if weight is None else {**bare, "weight": weight}
