"""One choice of an answer while it is written."""

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning_server_app.inference.adapters import Adapter
from tuning_server_app.inference.answer_text import StopTexts, TokenText
from tuning_server_app.inference.chat import Chat, Delta, TokenLogprob
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.grammar import Grammar
from tuning_server_app.inference.loaded_model import LoadedModel
from tuning_server_app.inference.sampling import Sampler


@dataclass(frozen=True)
class Question:
    """A chat that was found answerable, with all that answering it needs."""

    number: int  # later ones have higher numbers
    request: ChatRequest
    prompt: list[int]
    adapter: Adapter | None
    grammar: Grammar | None
    seed: int
    max_tokens: int
    chat: Chat

    @property
    def n_tokens(self) -> int:
        """How long each of its choices may become, prompt included."""
        return len(self.prompt) + self.max_tokens


class Row:
    """Takes token after token, and tells the chat what text is certain by then."""

    def __init__(self, question: Question, index: int, loaded: LoadedModel) -> None:
        request, grammar = question.request, question.grammar
        self.question = question
        self.last_token = 0
        self.is_done = False
        self._index = index
        self._end_of_turn = loaded.end_of_turn
        self._sampler = Sampler(
            request,
            (question.seed + index) % 2**63,
            grammar.copy() if grammar else None,
        )
        self._text = AnswerText(loaded, request.stop)
        self._n_tokens = 0

    @property
    def takes_the_likeliest(self) -> bool:
        wants_more = self.question.request.top_logprobs is not None
        return self._sampler.takes_the_likeliest and not wants_more

    def take_from(self, logits: Tensor) -> None:
        """Choose the next token from (V,) logits, float32 on the CPU."""
        n_alternatives = self.question.request.top_logprobs
        if n_alternatives is None:
            self.take(self._sampler.choose(logits))
            return
        logprobs = torch.log_softmax(logits, dim=-1)
        token = self._sampler.choose(logits)
        self.take(token, _logprob(token, logprobs, n_alternatives))

    def take(self, token: int, logprob: TokenLogprob | None = None) -> None:
        """The end-of-turn token is not counted: it is no part of the answer."""
        if token in self._end_of_turn:
            self._end("stop")
            return
        self.last_token = token
        self._n_tokens += 1
        text = self._text.add(token, logprob)
        if self._text.is_stopped:
            self._tell(text, "stop")
        elif self._sampler.is_ended:
            self._end("stop", text)
        elif self._n_tokens >= self.question.max_tokens:
            self._end("length", text)
        elif text:
            self._tell(text)

    def _end(self, reason: str, text: str = "") -> None:
        text += self._text.rest()
        self._tell(text, "stop" if self._text.is_stopped else reason)

    def _tell(self, text: str, reason: str | None = None) -> None:
        self.is_done = reason is not None
        n_tokens = self._n_tokens if self.is_done else 0
        logprobs = self._text.take_logprobs()
        delta = Delta(self._index, text, reason, n_tokens, logprobs)
        self.question.chat.tell(delta)


class AnswerText:
    """Whole characters up to a stop text, with the logprobs of the tokens in them."""

    def __init__(self, loaded: LoadedModel, stops: tuple[str, ...]) -> None:
        self._characters = TokenText(loaded.tokenizer)
        self._stops = StopTexts(stops)
        self._begun = 0  # characters that any token has begun
        self._out = 0  # characters that were let out
        self._waiting: deque[tuple[int, TokenLogprob]] = deque()

    @property
    def is_stopped(self) -> bool:
        return self._stops.is_reached

    def add(self, token: int, logprob: TokenLogprob | None) -> str:
        if logprob is not None:
            self._waiting.append((self._begun, logprob))
        text = self._characters.add(token)
        self._begun += len(text)
        return self._let_out(self._stops.add(text))

    def rest(self) -> str:
        text = self._stops.add(self._characters.rest())
        if not self.is_stopped:
            text += self._stops.rest()
        return self._let_out(text)

    def take_logprobs(self) -> tuple[TokenLogprob, ...]:
        """Those of tokens whose text, or its beginning, was let out."""
        taken = []
        while self._waiting and self._waiting[0][0] < self._out:
            taken.append(self._waiting.popleft()[1])
        return tuple(taken)

    def _let_out(self, text: str) -> str:
        self._out += len(text)
        return text


def _logprob(token: int, logprobs: Tensor, n_alternatives: int) -> TokenLogprob:
    values, tokens = logprobs.topk(n_alternatives)
    top = list(zip(tokens.tolist(), values.tolist(), strict=True))
    return TokenLogprob(token, float(logprobs[token]), top)
