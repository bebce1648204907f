"""Which token comes next."""

from collections import Counter

import torch
from torch import Tensor

from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.grammar import Grammar

# Nearly always enough for top_p; all of a vocabulary takes ten times as long to sort.
LIKELIEST = 512
# Below it nothing but the likeliest token is ever drawn, and float32 ends.
NEARLY_ZERO = 1e-6


class Sampler:
    """Draws the tokens of one choice; the same seed draws the same."""

    def __init__(
        self, request: ChatRequest, seed: int, grammar: Grammar | None
    ) -> None:
        self._request = request
        self._generator = torch.Generator().manual_seed(seed)
        self._grammar = grammar
        self._counts: Counter[int] = Counter()
        self._is_greedy = min(request.temperature, request.top_p) < NEARLY_ZERO

    @property
    def takes_the_likeliest(self) -> bool:
        """Whether the answer is always the largest of the logits, untouched."""
        changed = (
            self._request.logit_bias
            or self._request.frequency_penalty
            or self._request.presence_penalty
            or self._grammar
        )
        return self._is_greedy and not changed

    @property
    def is_ended(self) -> bool:
        """Whether the grammar lets nothing more come."""
        return self._grammar is not None and self._grammar.is_ended

    def choose(self, logits: Tensor) -> int:
        """The next token.

        Args:
            logits: (V,) float32 on the CPU; they are changed.
        """
        self._bias(logits)
        if self._grammar is not None:
            logits.masked_fill_(~self._grammar.allowed(len(logits)), -torch.inf)
        token = int(logits.argmax()) if self._is_greedy else self._draw(logits)
        self._counts[token] += 1
        if self._grammar is not None:
            self._grammar.take(token)
        return token

    def _bias(self, logits: Tensor) -> None:
        for token, bias in self._request.logit_bias:
            logits[token] += bias
        frequency = self._request.frequency_penalty
        presence = self._request.presence_penalty
        if self._counts and (frequency or presence):
            tokens = torch.tensor(list(self._counts))
            counts = torch.tensor(list(self._counts.values()), dtype=logits.dtype)
            logits[tokens] -= frequency * counts + presence

    def _draw(self, logits: Tensor) -> int:
        probabilities = torch.softmax(logits / self._request.temperature, dim=-1)
        if self._request.top_p < 1:
            probabilities = _nucleus(probabilities, self._request.top_p)
        return int(torch.multinomial(probabilities, 1, generator=self._generator))


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Zero all but the likeliest tokens that together reach `top_p`."""
    ordered, tokens = probabilities.topk(min(LIKELIEST, len(probabilities)))
    if ordered.sum() < top_p:
        ordered, tokens = probabilities.sort(descending=True)
    likelier = ordered.cumsum(dim=-1) - ordered
    kept = likelier < top_p
    nucleus = torch.zeros_like(probabilities)
    nucleus[tokens[kept]] = ordered[kept]
    return nucleus
