"""Two people changed one example: what each made of it, and the choice between them.

The conflict page posts to the page of the example again: all that was typed, the state
it was begun on (`merge_base`), and a choice for each piece that differs.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from datasets_app import exact_json
from datasets_app.admin.revision_words import JSON_FIELDS, TURNS, label_of
from datasets_app.admin.whole_row import NULL_BOOLEAN
from datasets_app.chat_format import canonical_messages
from datasets_app.models import Example, Split
from datasets_app.services.history import newest_revision, state_after
from datasets_app.text_diff import Part, word_diff
from datasets_app.three_way import Piece, merged, pieces
from datasets_app.turn_text import pretty, turns_text

FIELDS = (*TURNS, *JSON_FIELDS, "parallel_tool_calls", "split", "tags")


def fingerprint(example: Example) -> str:
    """Of all that the form edits: equal as long as nobody changed any of it.

    A review or a comment changes the row, too, but nothing that a form could overwrite.
    """
    values = {name: getattr(example, name) for name in FIELDS if name != "tags"}
    values["tags"] = sorted(tag.name for tag in example.tags.all())
    return hashlib.sha256(exact_json.dumps(values).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Choice:
    """One piece that differs, as the page shows it."""

    name: str  # of its radio buttons
    label: str
    who: str
    proposed: str
    mine: list[Part]
    theirs: list[Part]


class Conflict:
    """What I typed into a form that was opened before somebody else stored a change.

    Args:
        current: the row as it is stored now.
        typed: my values of the form's fields, cleaned.
        base_revision: the row's newest revision when I opened the form.
    """

    def __init__(
        self, current: Example, typed: dict[str, Any], base_revision: int
    ) -> None:
        self.current = current
        self.base_revision = base_revision
        base = state_after(current, base_revision)
        theirs = state_after(current, newest_revision(current))
        self.fields = {
            name: pieces(*(_as_list(name, v) for v in (base[name], mine, theirs[name])))
            for name, mine in _mine(typed)
        }

    def choices(self) -> list[Choice]:
        return [
            _choice(name, number, piece)
            for name, found in self.fields.items()
            for number, piece in enumerate(found)
            if piece.who not in ("nobody", "both")
        ]

    def resolve(self, posted: QueryDict) -> QueryDict:
        """What I typed, with their pieces in it where I chose theirs."""
        data = posted.copy()
        for name, found in self.fields.items():
            chosen = [
                posted.get(f"merge-{name}-{n}", piece.proposed)
                for n, piece in enumerate(found)
            ]
            _put(data, name, merged(found, chosen.__getitem__), self.current)
        data["opened_at"] = self.current.updated_at.isoformat()
        data["opened_state"] = fingerprint(self.current)
        data["opened_revision"] = str(newest_revision(self.current))
        return data


def _mine(typed: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in FIELDS:
        if name not in typed:
            continue
        value = typed[name]
        if name in TURNS:
            value = canonical_messages(value)
        elif name == "tags":
            value = sorted(str(tag) for tag in value)
        yield name, value


def _as_list(name: str, value: Any) -> list[Any]:
    """Turns are compared one by one, every other value as a whole."""
    if name in TURNS and isinstance(value, list):
        return value
    return [] if name in TURNS and value is None else [value]


def _choice(name: str, number: int, piece: Piece) -> Choice:
    base, mine, theirs = (
        _as_text(name, each) for each in (piece.base, piece.mine, piece.theirs)
    )
    return Choice(
        name=f"merge-{name}-{number}",
        label=label_of(name),
        who=piece.who,
        proposed=piece.proposed,
        mine=word_diff(base, mine),
        theirs=word_diff(base, theirs),
    )


def _as_text(name: str, values: list[Any]) -> str:
    if name in TURNS:
        return turns_text(values)
    value = values[0]
    if name == "tags":
        return ", ".join(value)
    if name == "split":
        return str(Split(value).label)
    return "" if value is None else value if isinstance(value, str) else pretty(value)


def _put(data: QueryDict, name: str, values: list[Any], current: Example) -> None:
    if name in TURNS:
        data[name] = exact_json.pretty(values) if values else ""
    elif name == "tags":
        tags = current.dataset.team.tag_set.filter(name__in=values[0])
        data.setlist(name, [str(pk) for pk in tags.values_list("pk", flat=True)])
    elif name == "parallel_tool_calls":
        data[name] = NULL_BOOLEAN[values[0]]
    elif name == "split":
        data[name] = values[0]
    else:
        data[name] = "" if values[0] is None else exact_json.pretty(values[0])
