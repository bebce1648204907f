"""What of a row the model does not read, because the row is too long for it."""

from dataclasses import dataclass
from typing import Any

from datasets_app.chat_format import texts_of

SHOWN = 300


@dataclass(frozen=True, slots=True)
class Cut:
    """From message `message_index` on (counted from 1), `n_characters` are lost."""

    message_index: int
    n_characters: int
    begins: str
    ends: str


def cut_of(messages: Any, sizes: list[int], limit: int) -> Cut | None:
    """What is beyond the limit; None if all fits.

    Where within a message the limit falls is told by its share of the tokens.

    Args:
        sizes: the tokens of each message.
    """
    left = limit
    lost: list[tuple[int, str]] = []
    for index, (message, size) in enumerate(zip(messages, sizes, strict=False), 1):
        text = "\n".join(texts_of(message))
        if lost:
            lost.append((index, text))
        elif size > left:
            lost.append((index, text[len(text) * max(left, 0) // size :]))
        left -= size
    if not lost:
        return None
    text = "\n".join(each for _index, each in lost)
    ends = text[SHOWN:][-SHOWN:]
    return Cut(lost[0][0], len(text), text[:SHOWN], ends)
