"""Rows that may be megabytes long, never too many of them in memory at once."""

from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Case, QuerySet, Sum, TextField, When
from django.db.models.functions import Cast, Coalesce, Left, Length

from datasets_app.chat_format import OUTPUT_KEYS, question_and_answer
from datasets_app.fields import ExactJSONField
from datasets_app.models import Example, ExampleRevision

MOST_CHARACTERS = 8_000_000  # of JSON, which takes ten times that as objects
LONG_TEXT = 100_000  # what is said in a row; whoever reads a list reads no such row
PREVIEW_LENGTH = 200
_PARTS = ("messages", "tools", "extra", *OUTPUT_KEYS)


def pieces_of(pks: Collection[int]) -> Iterator[list[int]]:
    """The keys of the rows in their order, so many at once as their lengths allow."""
    lengths = [Coalesce(Length(Cast(name, TextField())), 0) for name in _PARTS]
    rows = Example.with_deleted.filter(pk__among=pks).order_by("pk")
    found = rows.values_list("pk", *lengths)
    return _pieces((pk, sum(parts)) for pk, *parts in found)


def pieces_of_changes(
    revisions: QuerySet[ExampleRevision], pks: Collection[int]
) -> Iterator[list[int]]:
    """The same of the rows that have such revisions, by the lengths of these."""
    found = revisions.filter(example_pk__among=pks).order_by("example_pk")
    length = Sum(Length(Cast("changes", TextField())))
    return _pieces(found.values_list("example_pk").annotate(length=length))


def _pieces(lengths: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    piece: list[int] = []
    n_characters = 0
    for pk, length in lengths:
        if piece and n_characters + length > MOST_CHARACTERS:
            yield piece
            piece, n_characters = [], 0
        piece.append(pk)
        n_characters += length
    if piece:
        yield piece


def previews_of(
    pks: Collection[int], rows: QuerySet[Example] | None = None
) -> dict[int, tuple[str, str]]:
    """What is asked first and answered last in each row; of a long one, its beginning.

    Of a preference that is the better answer. A list shows dozens of rows, and the
    turns of a long one fill a memory.

    Args:
        rows: where they are looked for; the live rows if not given.
    """
    parts = ("messages", "preferred_output")
    return {
        pk: (beginning, "")
        if turns[0] is None
        else question_and_answer(dict(zip(parts, turns, strict=True)), PREVIEW_LENGTH)
        for pk, beginning, *turns in _read(pks, rows, parts, PREVIEW_LENGTH)
    }


def turns_of(pks: Collection[int], length: int) -> dict[int, tuple[str, list[Any]]]:
    """The first `length` characters of each live row's text, and all its messages.

    Those are counted as in problems; of a long row there are none.
    """
    found = _read(pks, None, ("messages", *OUTPUT_KEYS), length)
    return {
        pk: (beginning, [turn for part in parts for turn in _list(part)])
        for pk, beginning, *parts in found
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read(
    pks: Collection[int],
    rows: QuerySet[Example] | None,
    parts: tuple[str, ...],
    length: int,
) -> Iterator[tuple[Any, ...]]:
    """(key, beginning of the text, parts …); the parts of a long row are None.

    What makes a row long may be a picture, which its text knows nothing of.
    """
    rows = Example.objects.all() if rows is None else rows
    whole = rows.filter(pk__among=pks).order_by()
    sizes = (Coalesce(Length(Cast(name, TextField())), 0) for name in parts)
    sized = whole.annotate(n_characters=reduce(add, sizes))
    read = [
        Case(
            When(n_characters__lt=LONG_TEXT, then=name),
            default=None,
            output_field=ExactJSONField(),
        )
        for name in parts
    ]
    found = sized.values_list("pk", Left("text", length), *read)
    return found.iterator(chunk_size=5)
