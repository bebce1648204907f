"""A conversation cut where the model begins and ends an answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import TemplateError

from open_chats.plain_messages import plain_messages
from open_chats.texts import texts_in
from open_chats.tool_text import tools_in_text

# Each message is rendered together with all before it, so the time is quadratic.
MAX_MESSAGES = 1_000

Message = dict[str, Any]
Tools = list[dict[str, Any]] | None


# What a template says of a conversation that it was not written for: it is a program
# that came with the model, and any of its steps may fail.
TEMPLATE_ERRORS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class UnrenderableChat(Exception):
    """The conversation cannot be put into this model's words; the text says why."""


@contextmanager
def rendering() -> Iterator[None]:
    """Around a template's own work.

    Raises:
        UnrenderableChat: the template refused the conversation, or broke on it.
    """
    try:
        yield
    except TEMPLATE_ERRORS as error:
        raise UnrenderableChat(
            f"The base model's chat template cannot write it: {error}"
        ) from error


class ChatTemplate(Protocol):
    """What a model's tokenizer files say about conversations."""

    @property
    def source(self) -> str:
        """The template itself, in Jinja's language."""

    @property
    def end_of_turn(self) -> str:
        """The token that ends an answer."""

    @property
    def control_tokens(self) -> Sequence[str]:
        """Texts that stand for one token each and that no message may hold."""

    @property
    def answer_header(self) -> str:
        """What stands before an answer: `generation_prompt` of this template."""

    def render(
        self, messages: list[Message], tools: Tools = None, *, asks: bool = False
    ) -> str:
        """The conversation as text; with `asks`, up to where an answer begins.

        Raises:
            UnrenderableChat
        """


@dataclass(frozen=True)
class Segment:
    """A stretch of text that is tokenised by itself.

    `starts` are the offsets in it where a message begins, as (offset, index of the
    message); what stands before the first belongs to an earlier message.
    """

    text: str
    is_scored: bool
    starts: tuple[tuple[int, int], ...] = ()


def segments(
    template: ChatTemplate, messages: Sequence[Message], tools: Tools = None
) -> Iterator[Segment]:
    """Cut the rendered text where an answer begins and where it ends.

    When asked, the model starts from whole tokens up to the answer's first character;
    cutting there keeps a token from spanning the two in training either.

    Raises:
        UnrenderableChat, UnusableMessage: the model cannot read the conversation.
    """
    if len(messages) > MAX_MESSAGES:
        raise UnrenderableChat(
            f"The conversation has {len(messages)} messages; at most {MAX_MESSAGES} are"
            " possible. Leave out earlier ones."
        )
    plain, template_tools = _for_template(template, messages, tools)
    # Tools in the text may have put a system message before the first one.
    n_added = len(plain) - len(messages)
    header = template.answer_header
    text, pending = "", ""
    starts: list[tuple[int, int]] = []
    for index, message in enumerate(plain):
        so_far = template.render(plain[: index + 1], template_tools)
        turn = continuation(text, so_far)
        text = so_far
        starts.append((len(pending), max(0, index - n_added)))
        if message["role"] != "assistant":
            pending += turn
            continue
        # Some templates put nothing between a question and its answer.
        before, found, answer = turn.partition(header) if header else ("", "-", turn)
        if not found:
            raise UnrenderableChat(
                "The base model's chat template begins an assistant message in another"
                " way than it asks for one, so answers cannot be told from prompts."
                " Use a base model whose template does both alike."
            )
        yield Segment(pending + before + header, False, tuple(starts))
        answer, pending = _split_after_end_of_turn(template, answer)
        yield Segment(answer, is_scored=message.get("weight", 1) != 0)
        starts = []
    yield Segment(pending, False, tuple(starts))


def generation_prompt(template: ChatTemplate) -> str:
    """What the template puts before an answer, `<|im_start|>assistant` in ChatML."""
    question = [{"role": "user", "content": "?"}]
    return continuation(template.render(question), template.render(question, asks=True))


def continuation(beginning: str, whole: str) -> str:
    """What `whole` has after `beginning`."""
    if not whole.startswith(beginning):
        raise UnrenderableChat(
            "The base model's chat template rewrites earlier messages when later ones"
            " follow, so training would show it other text than answering does."
            " Use a base model whose template only appends."
        )
    return whole[len(beginning) :]


def _for_template(
    template: ChatTemplate, messages: Sequence[Message], tools: Tools
) -> tuple[list[Message], Tools]:
    """Messages and tools as the template wants them; as text if it knows no tools."""
    plain = plain_messages(messages)
    _refuse_control_tokens(template, plain, tools)
    if "tools" in template.source:
        return plain, tools
    return tools_in_text(plain, tools), None


def _split_after_end_of_turn(template: ChatTemplate, answer: str) -> tuple[str, str]:
    """The answer with its end-of-turn token, and what the template adds after it."""
    position = answer.rfind(template.end_of_turn)
    if position < 0:
        return answer, ""
    end = position + len(template.end_of_turn)
    return answer[:end], answer[end:]


def _refuse_control_tokens(
    template: ChatTemplate, messages: list[Message], tools: Tools
) -> None:
    """A control token inside a text would end the turn and start a forged one."""
    tokens = template.control_tokens
    for number, message in enumerate(messages, start=1):
        written = [message["content"], message.get("tool_calls")]
        _refuse_tokens(tokens, written, f"Message {number} holds")
    _refuse_tokens(tokens, tools, "The tools hold")


def _refuse_tokens(tokens: Sequence[str], value: Any, who_holds: str) -> None:
    for text in texts_in(value):
        for token in tokens:
            if token in text:
                raise UnrenderableChat(
                    f"{who_holds} the text {token}, which this model uses to mark where"
                    " a message begins or ends. Take it out."
                )
