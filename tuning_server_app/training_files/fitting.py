"""What a base model can read of an example: said before it takes a GPU.

The trainer cuts and leaves out by the same rules, with the tokens that transformers
makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from open_chats.plain_messages import UnusableMessage
from open_chats.segments import Segment, UnrenderableChat, segments
from open_chats.tokenizer_files import TokenizerFiles
from tuning_server_app.training_files.conversations import conversations

UNREADABLE = (UnrenderableChat, UnusableMessage)


@dataclass(frozen=True)
class Fit:
    """Whether an example is cut at its end, and whether any answer is left to learn."""

    is_cut: bool
    is_learnt: bool


@dataclass(frozen=True)
class BaseModelReader:
    """A base model's tokenizer; `max_tokens` is its context, None if that is not known
    without the model."""

    template: TokenizerFiles
    max_tokens: int | None

    def fit(self, example: dict[str, Any], method: str) -> Fit:
        """Of an example without problems.

        Raises:
            UnrenderableChat, UnusableMessage: the model cannot read it.
        """
        fits = [
            self._fit(list(segments(self.template, each.messages, each.tools)))
            for each in conversations(example, method)
        ]
        return Fit(
            is_cut=any(fit.is_cut for fit in fits),
            is_learnt=all(fit.is_learnt for fit in fits),
        )

    def _fit(self, cut: Sequence[Segment]) -> Fit:
        sizes = [len(segment.text.encode()) + 1 for segment in cut]
        most = self.max_tokens
        if most is None or sum(sizes) > most:
            # Counted only where it may matter. A token has a byte or more; some
            # tokenizers put one before each text.
            sizes = self.template.count_all([segment.text for segment in cut])
        return Fit(
            is_cut=most is not None and sum(sizes) > most,
            is_learnt=_is_learnt(cut, sizes, sum(sizes) if most is None else most),
        )


def unfit(error: Exception) -> str:
    """The rest of a sentence that begins with "Example N"."""
    return f" cannot be used. {error}"


def _is_learnt(cut: Sequence[Segment], sizes: Sequence[int], most: int) -> bool:
    """Is one of the first `most` tokens scored? The very first one follows nothing, so
    nothing can learn to write it."""
    start = 0
    for segment, size in zip(cut, sizes, strict=True):
        if segment.is_scored and max(start, 1) < min(start + size, most):
            return True
        start += size
    return False
