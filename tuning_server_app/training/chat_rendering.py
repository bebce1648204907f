"""A conversation as the tokens a model sees, and which of them it must learn to write.

Text becomes tokens here and nowhere else, for training and for answering alike, so that
a tuned model is asked exactly what it was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from transformers import PreTrainedTokenizerBase

from open_chats.segments import (
    Message,
    Tools,
    UnrenderableChat,
    generation_prompt,
    rendering,
    segments,
)

__all__ = ["RenderedChat", "UnrenderableChat", "render_chat", "render_prompt"]


@dataclass(frozen=True)
class RenderedChat:
    """Token ids of a whole conversation, and for each whether it is scored."""

    ids: list[int]
    is_scored: list[bool]


@dataclass(frozen=True)
class TokenizerTemplate:
    """The chat template of a tokenizer that transformers loaded."""

    tokenizer: PreTrainedTokenizerBase

    @property
    def source(self) -> str:
        return str(self.tokenizer.chat_template)

    @property
    def end_of_turn(self) -> str:
        return str(self.tokenizer.eos_token)

    @property
    def control_tokens(self) -> Sequence[str]:
        return _control_tokens(self.tokenizer)

    @property
    def answer_header(self) -> str:
        return generation_prompt(self)

    def render(
        self, messages: list[Message], tools: Tools = None, *, asks: bool = False
    ) -> str:
        # A copy, because the signature names a wider list than ours.
        listed: list[Any] | None = list(tools) if tools else None
        with rendering():
            return str(
                self.tokenizer.apply_chat_template(
                    messages, tools=listed, add_generation_prompt=asks, tokenize=False
                )
            )


def render_chat(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools = None
) -> RenderedChat:
    """The conversation's tokens; scored are the answers, each with its end-of-turn.

    An assistant message with `weight` 0 is read but not learnt.
    """
    ids: list[int] = []
    is_scored: list[bool] = []
    for segment in segments(TokenizerTemplate(tokenizer), messages, tools):
        part = _token_ids(tokenizer, segment.text)
        ids += part
        is_scored += [segment.is_scored] * len(part)
    return RenderedChat(ids, is_scored)


def render_prompt(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools = None
) -> list[int]:
    """The tokens after which the model writes its answer to the last message."""
    template = TokenizerTemplate(tokenizer)
    ids: list[int] = []
    for segment in segments(template, messages, tools):
        ids += _token_ids(tokenizer, segment.text)
    return ids + _token_ids(tokenizer, template.answer_header)


@lru_cache(maxsize=8)
def _control_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Also those without a name of their own, as Llama's headers and turns are."""
    added = tokenizer.added_tokens_decoder.values()
    marked = [token.content for token in added if token.special]
    return list(dict.fromkeys([*map(str, tokenizer.all_special_tokens), *marked]))


def _token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
