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
        _row(example, number, tokenizer, max_tokens, param)
        for number, example in enumerate(_examples(path, param), start=1)
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


def _examples(path: Path, param: str) -> Iterator[dict[str, Any]]:
    number = 0
    with path.open("rb") as lines:
        for line in lines:
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not text:
                continue
            number += 1
            yield _example(text, number, param)


def _example(text: bytes, number: int, param: str) -> dict[str, Any]:
    try:
        example = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(number, f"is not valid JSON ({error})", param) from error
    messages = example.get("messages") if isinstance(example, dict) else None
    if not isinstance(messages, list) or not all(
        isinstance(message, dict) for message in messages
    ):
        what = 'is not an object with a list of objects under "messages"'
        raise _invalid(number, what, param)
    return dict(example)


def _row(
    example: dict[str, Any],
    number: int,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    param: str,
) -> Row:
    try:
        chat = render_chat(tokenizer, example["messages"], example.get("tools"))
    except (UnrenderableChat, UnusableMessage) as error:
        raise _invalid(number, f"cannot be used. {error}", param) from error
    if len(chat.ids) > max_tokens:
        raise RunFailed(
            EXAMPLE_TOO_LONG,
            f"Example {number} has {len(chat.ids)} tokens, but the base model reads at"
            f" most {max_tokens}. Shorten or split this example and launch again.",
            param,
        )
    return Row(chat.ids, chat.is_scored)


def _invalid(number: int, what: str, param: str) -> RunFailed:
    message = f"Example {number} {what}. Mend this example and launch again."
    return RunFailed(INVALID_TRAINING_FILE, message.replace("..", "."), param)
