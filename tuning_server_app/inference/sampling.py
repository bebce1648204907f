"""Which token comes next."""

from collections.abc import Callable

import torch
from torch import Tensor

Choice = Callable[[Tensor], int]


def make_choice(temperature: float, top_p: float, seed: int) -> Choice:
    """A function from logits (V,) to a token; with one seed, the same draws."""
    if temperature == 0 or top_p == 0:
        return lambda logits: int(logits.argmax())
    generator = torch.Generator().manual_seed(seed)

    def draw(logits: Tensor) -> int:
        probabilities = torch.softmax(logits.float().cpu() / temperature, dim=-1)
        kept = _nucleus(probabilities, top_p) if top_p < 1 else probabilities
        return int(torch.multinomial(kept, 1, generator=generator))

    return draw


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Zero all but the likeliest tokens that together reach `top_p`."""
    ordered, tokens = probabilities.sort(descending=True)
    likelier = ordered.cumsum(dim=-1) - ordered
    return probabilities.index_fill(-1, tokens[likelier >= top_p], 0.0)
