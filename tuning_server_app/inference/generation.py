"""The loop that writes one answer."""

from collections.abc import Iterator, Sequence

import torch
from transformers import DynamicCache, PreTrainedModel

from tuning_server_app.inference.sampling import Choice


def generate(
    model: PreTrainedModel, prompt: Sequence[int], choose: Choice, *, max_tokens: int
) -> Iterator[int]:
    """Token after token, at most `max_tokens`, each as soon as it is known.

    The caller ends it, at an end-of-turn token or whenever nobody listens any more.
    """
    seen = DynamicCache(config=model.config)
    unseen = list(prompt)
    for _ in range(max_tokens):
        token = choose(_next_logits(model, unseen, seen))
        yield token
        unseen = [token]


@torch.inference_mode()
def _next_logits(
    model: PreTrainedModel, tokens: list[int], seen: DynamicCache
) -> torch.Tensor:
    """Logits (V,) after the tokens, which join the seen ones."""
    ids = torch.tensor([tokens], device=model.device)
    output = model(
        input_ids=ids, past_key_values=seen, use_cache=True, logits_to_keep=1
    )
    logits: torch.Tensor = output.logits[0, -1]
    return logits
