"""The lines of a training file as tokens, or a sentence about the one that is wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from transformers import PreTrainedTokenizerBase

from tuning_server_app.training.chat_rendering import render_chat
from tuning_server_app.training.failures import RunFailed
from tuning_server_app.training.token_file import StoredRow, TokenFile
from tuning_server_app.training_files.checking import (
    invalid_format,
    nothing_to_learn,
)
from tuning_server_app.training_files.conversations import (
    SUPERVISED,
    Conversation,
    conversations,
)
from tuning_server_app.training_files.fitting import UNREADABLE, unfit
from tuning_server_app.training_files.lines import (
    FileRefused,
    numbered_lines,
    read_example,
)


class Row(Protocol):
    """One example as tokens; `is_scored` marks those the model learns to write."""

    @property
    def ids(self) -> list[int]: ...

    @property
    def is_scored(self) -> list[bool]: ...

    @property
    def n_tokens(self) -> int: ...


@dataclass(frozen=True)
class RowInMemory:
    ids: list[int]
    is_scored: list[bool]
    is_cut: bool = False

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def is_learnt(self) -> bool:
        # The first token follows nothing, so nothing can learn to write it.
        return any(self.is_scored[1:])


def read_rows(
    path: Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    param: str,
    tell: Callable[[str], None] | None = None,
) -> list[StoredRow]:
    """Every example of the file that has something to learn.

    Args:
        max_tokens: the model's context; a longer example is cut at its end.
        param: `training_file` or `validation_file`, whichever this is.
        tell: hears how many were cut, if any were.

    Raises:
        RunFailed: an example cannot be used; it is named by its number, from 1.
    """
    reader = ExampleReader(tokenizer, max_tokens, param)
    rows = [row for [row] in reader.read(path, SUPERVISED)]
    if tell is not None and reader.n_cut:
        tell(reader.summary)
    return rows


class ExampleReader:
    """Reads a file as the check of training files does, but by the tokenizer that
    transformers loaded, and keeps the tokens."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, max_tokens: int, param: str
    ) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._param = param
        self._n_examples = self.n_cut = self._n_left_out = 0

    def read(self, path: Path, method: str) -> Iterator[list[StoredRow]]:
        """The rows of each example that has something to learn: one, or of a
        preference the two answers. They can be read when all are there.

        Raises:
            RunFailed
        """
        try:
            yield from self._read(path, method)
        except FileRefused as refused:
            raise RunFailed(refused.code, refused.message, self._param) from refused

    @property
    def summary(self) -> str:
        return (
            f"{self.n_cut} of the {self._n_examples} examples of the {self._param} are"
            f" longer than the {self._max_tokens} tokens that the base model reads, and"
            f" were cut at their end; of {self._n_left_out} no answer was left"
        )

    def _read(self, path: Path, method: str) -> Iterator[list[StoredRow]]:
        tokens = TokenFile(path.parent)
        with path.open("rb") as file:
            for number, line in numbered_lines(file):
                self._n_examples = number
                rows = self._rows(number, line, method)
                self.n_cut += any(row.is_cut for row in rows)
                if all(row.is_learnt for row in rows):
                    yield [tokens.add(row.ids, row.is_scored) for row in rows]
                else:
                    self._n_left_out += 1
        if self._n_left_out == self._n_examples:
            raise nothing_to_learn()
        tokens.finish()

    def _rows(self, number: int, line: bytes, method: str) -> list[RowInMemory]:
        example, problems = read_example(line, method)
        if problems:
            raise invalid_format([f"Example {number}{text}" for text in problems])
        try:
            return [self._row(each) for each in conversations(example, method)]
        except UNREADABLE as error:
            raise invalid_format([f"Example {number}{unfit(error)}"]) from error

    def _row(self, conversation: Conversation) -> RowInMemory:
        chat = render_chat(self._tokenizer, conversation.messages, conversation.tools)
        most = self._max_tokens
        return RowInMemory(
            chat.ids[:most], chat.is_scored[:most], is_cut=len(chat.ids) > most
        )
