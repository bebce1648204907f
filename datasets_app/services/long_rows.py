"""Rows that may be megabytes long, never too many of them in memory at once."""

from collections.abc import Collection, Iterator

from django.db.models import Case, Q, TextField, When
from django.db.models.functions import Cast, Coalesce, Left, Length

from datasets_app.chat_format import OUTPUT_KEYS, preview
from datasets_app.database.bulk import keys_in
from datasets_app.fields import ExactJSONField
from datasets_app.models import Example

MOST_CHARACTERS = 8_000_000  # of JSON, which takes ten times that as objects
LONG_TEXT = 100_000  # what is said in a row; whoever reads a list reads no such row
PREVIEW_LENGTH = 200
_PARTS = ("messages", "tools", "extra", *OUTPUT_KEYS)


def pieces_of(pks: Collection[int]) -> Iterator[list[int]]:
    """The keys of live rows in their order, so many at once as their lengths allow."""
    lengths = [Coalesce(Length(Cast(name, TextField())), 0) for name in _PARTS]
    rows = Example.objects.filter(pk__in=keys_in(pks)).order_by("pk")
    piece: list[int] = []
    n_characters = 0
    for pk, *parts in rows.values_list("pk", *lengths):
        if piece and n_characters + sum(parts) > MOST_CHARACTERS:
            yield piece
            piece, n_characters = [], 0
        piece.append(pk)
        n_characters += sum(parts)
    if piece:
        yield piece


def previews_of(pks: Collection[int]) -> dict[int, tuple[str, str]]:
    """What is asked first and answered last in each row; of a long one, its beginning.

    A list shows dozens of rows, and the turns of a long one fill a memory.
    """
    messages = Case(
        When(Q(n_characters__lt=LONG_TEXT), then="messages"),
        default=None,
        output_field=ExactJSONField(),
    )
    rows = Example.objects.filter(pk__in=keys_in(pks)).order_by()
    rows = rows.annotate(n_characters=Length("text"))
    found = rows.values_list("pk", messages, Left("text", PREVIEW_LENGTH))
    return {
        pk: (beginning, "") if turns is None else _preview(turns)
        for pk, turns, beginning in found.iterator(chunk_size=5)
    }


def _preview(messages: object) -> tuple[str, str]:
    asked, said = preview(messages, "user"), preview(messages, "assistant", last=True)
    return asked[:PREVIEW_LENGTH], said[:PREVIEW_LENGTH]
