"""A conversation as the tokens a model sees, and which of them it must learn to write.

Text becomes tokens here and nowhere else, for training and for answering alike, so that
a tuned model is asked exactly what it was trained on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from tuning_server_app.training.plain_messages import plain_messages
from tuning_server_app.training.tool_text import tools_in_text

# Each message is rendered together with all before it, so the time is quadratic.
MAX_MESSAGES = 1_000

Message = dict[str, Any]
Tools = list[dict[str, Any]] | None


class UnrenderableChat(Exception):
    """The conversation cannot be put into this model's words; the text says why."""


@dataclass(frozen=True)
class RenderedChat:
    """Token ids of a whole conversation, and for each whether it is scored."""

    ids: list[int]
    is_scored: list[bool]


@dataclass(frozen=True)
class Segment:
    """A stretch of text that is tokenised by itself."""

    text: str
    is_scored: bool


def render_chat(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools = None
) -> RenderedChat:
    """The conversation's tokens; scored are the answers, each with its end-of-turn.

    An assistant message with `weight` 0 is read but not learnt.
    """
    ids: list[int] = []
    is_scored: list[bool] = []
    for segment in _segments(tokenizer, messages, tools):
        part = _token_ids(tokenizer, segment.text)
        ids += part
        is_scored += [segment.is_scored] * len(part)
    return RenderedChat(ids, is_scored)


def render_prompt(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools = None
) -> list[int]:
    """The tokens after which the model writes its answer to the last message."""
    ids: list[int] = []
    for segment in _segments(tokenizer, messages, tools):
        ids += _token_ids(tokenizer, segment.text)
    return ids + _token_ids(tokenizer, _generation_prompt(tokenizer))


def _segments(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools
) -> Iterator[Segment]:
    """Cut the rendered text where an answer begins and where it ends.

    When asked, the model starts from whole tokens up to the answer's first character;
    cutting there keeps a token from spanning the two in training either.
    """
    if len(messages) > MAX_MESSAGES:
        raise UnrenderableChat(
            f"The conversation has {len(messages)} messages; at most {MAX_MESSAGES} are"
            " possible. Leave out earlier ones."
        )
    plain, template_tools = _for_template(tokenizer, messages, tools)
    _refuse_control_tokens(tokenizer, plain)
    header = _generation_prompt(tokenizer)
    text, pending = "", ""
    for index, message in enumerate(plain):
        so_far = _render(tokenizer, plain[: index + 1], template_tools)
        turn = _continuation(text, so_far)
        text = so_far
        if message["role"] != "assistant":
            pending += turn
            continue
        before, found, answer = turn.partition(header)
        if not found:
            raise UnrenderableChat(
                "The base model's chat template begins an assistant message in another"
                " way than it asks for one, so answers cannot be told from prompts."
                " Use a base model whose template does both alike."
            )
        yield Segment(pending + before + header, is_scored=False)
        answer, pending = _split_after_end_of_turn(tokenizer, answer)
        yield Segment(answer, is_scored=message.get("weight", 1) != 0)
    yield Segment(pending, is_scored=False)


def _for_template(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools
) -> tuple[list[Message], Tools]:
    """Messages and tools as the template wants them; as text if it knows no tools."""
    plain = plain_messages(messages)
    if "tools" in str(tokenizer.chat_template):
        return plain, tools
    return tools_in_text(plain, tools), None


def _render(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], tools: Tools
) -> str:
    # A copy, because the signature names a wider list than ours.
    listed: list[Any] | None = list(tools) if tools else None
    return str(tokenizer.apply_chat_template(messages, tools=listed, tokenize=False))


def _generation_prompt(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the template puts before an answer, `<|im_start|>assistant` in ChatML."""
    question = [{"role": "user", "content": "?"}]
    asked = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, tokenize=False
    )
    return _continuation(_render(tokenizer, question, None), str(asked))


def _continuation(beginning: str, whole: str) -> str:
    if not whole.startswith(beginning):
        raise UnrenderableChat(
            "The base model's chat template rewrites earlier messages when later ones"
            " follow, so training would show it other text than answering does."
            " Use a base model whose template only appends."
        )
    return whole[len(beginning) :]


def _split_after_end_of_turn(
    tokenizer: PreTrainedTokenizerBase, answer: str
) -> tuple[str, str]:
    """The answer with its end-of-turn token, and what the template adds after it."""
    end_of_turn = str(tokenizer.eos_token)
    position = answer.rfind(end_of_turn)
    if position < 0:
        return answer, ""
    end = position + len(end_of_turn)
    return answer[:end], answer[end:]


def _refuse_control_tokens(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message]
) -> None:
    """A control token inside a text would end the turn and start a forged one."""
    for number, message in enumerate(messages, start=1):
        for token in tokenizer.all_special_tokens:
            if token in str(message["content"]):
                raise UnrenderableChat(
                    f"Message {number} holds the text {token}, which this model uses"
                    " to mark where a message begins or ends. Take it out."
                )


def _token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
