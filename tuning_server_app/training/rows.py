"""The lines of a training file as tokens, or a sentence about the one that is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from transformers import PreTrainedTokenizerBase

from open_chats.plain_messages import UnusableMessage
from tuning_server_app.training.chat_rendering import UnrenderableChat, render_chat
from tuning_server_app.training.failures import (
    EXAMPLE_TOO_LONG,
    INVALID_TRAINING_FILE,
    RunFailed,
)


@dataclass(frozen=True)
class Row:
    """One example as tokens; `is_scored` marks those the model learns to write."""

    ids: list[int]
    is_scored: list[bool]

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def n_trained(self) -> int:
        """What counts as trained tokens, once an epoch."""
        return self.n_tokens

    @property
    def is_trainable(self) -> bool:
        # The first token follows nothing, so nothing can learn to write it.
        return any(self.is_scored[1:])


def read_rows(
    path: Path, tokenizer: PreTrainedTokenizerBase, *, max_tokens: int, param: str
) -> list[Row]:
    """Every example of the file that has something to learn.

    Args:
        max_tokens: the model's context; a longer example is refused, never cut, for
            what a cut loses is the end of the answer.
        param: `training_file` or `validation_file`, whichever this is.

    Raises:
        RunFailed: an example cannot be used; it is named by its number, from 1.
    """
    rows = [
        row_of(_messages(example, number, param), example.get("tools"), place)
        for number, example in examples_in(path, param)
        for place in [Place(number, tokenizer, max_tokens, param)]
    ]
    trainable = [row for row in rows if row.is_trainable]
    if not trainable:
        raise RunFailed(
            INVALID_TRAINING_FILE,
            "No example has an answer to learn: each needs an assistant message with"
            " some text whose weight is not 0. Add one and launch again.",
            param,
        )
    return trainable


@dataclass(frozen=True)
class Place:
    """Where an example stands, and what it is read with."""

    number: int
    tokenizer: PreTrainedTokenizerBase
    max_tokens: int
    param: str


def examples_in(path: Path, param: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The file's objects, each with its number, from 1; blank lines do not count."""
    number = 0
    with path.open("rb") as lines:
        for line in lines:
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not text:
                continue
            number += 1
            yield number, _object(text, number, param)


def row_of(messages: list[Any], tools: Any, place: Place) -> Row:
    """The conversation as tokens.

    Raises:
        RunFailed: the base model cannot read it, or not at this length.
    """
    try:
        chat = render_chat(place.tokenizer, messages, tools)
    except (UnrenderableChat, UnusableMessage) as error:
        what = f"cannot be used. {error}"
        raise invalid_example(place.number, what, place.param) from error
    if len(chat.ids) > place.max_tokens:
        raise RunFailed(
            EXAMPLE_TOO_LONG,
            f"Example {place.number} has {len(chat.ids)} tokens, but the base model"
            f" reads at most {place.max_tokens}. Shorten or split this example and"
            " launch again.",
            place.param,
        )
    return Row(chat.ids, chat.is_scored)


def invalid_example(number: int, what: str, param: str) -> RunFailed:
    message = f"Example {number} {what}. Mend this example and launch again."
    return RunFailed(INVALID_TRAINING_FILE, message.replace("..", "."), param)


def are_messages(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _object(text: bytes, number: int, param: str) -> dict[str, Any]:
    try:
        example = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        what = f"is not valid JSON ({error})"
        raise invalid_example(number, what, param) from error
    if not isinstance(example, dict):
        raise invalid_example(number, "is not a JSON object", param)
    return example


def _messages(example: dict[str, Any], number: int, param: str) -> list[Any]:
    messages = example.get("messages")
    if not isinstance(messages, list) or not are_messages(messages):
        what = 'is not an object with a list of objects under "messages"'
        raise invalid_example(number, what, param)
    return messages
