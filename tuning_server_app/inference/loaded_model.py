"""One base model in memory, with what answering with it needs."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from llguidance import LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from tuning_server_app.base_models import BaseModel
from tuning_server_app.inference.adapters import Adapter, AdapterRows, Adapters
from tuning_server_app.inference.row_cache import RowCache
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.loading import (
    context_length,
    load_model,
    load_tokenizer,
)

CPU_CACHE_BYTES = 2 * 1024**3


class LoadedModel:
    """Only one thread may let it `read`; the rest is for any."""

    def __init__(self, base: BaseModel, cache: Path) -> None:
        folder = ensure_ready(base, cache)
        self.tokenizer = load_tokenizer(folder)
        self.tokenizer_lock = threading.Lock()
        self.longest_token = max(map(len, self.tokenizer.get_vocab()))  # characters
        self.model = load_model(folder).eval()
        self.context_length = context_length(self.model)
        self.end_of_turn = self._end_of_turn_tokens()
        self.adapters = Adapters(self.model)
        self._adapter_rows = AdapterRows(self.model)
        self._bytes_per_token = self._measure()
        self.room = _cache_bytes(self.model.device) // self._bytes_per_token
        """How many tokens of conversations have room in memory at once."""

    @cached_property
    def guide(self) -> LLTokenizer:
        """The tokenizer as bytes. It takes about a second to make."""
        n_tokens = max(len(self.tokenizer), self.model.config.vocab_size)
        end_of_turn = sorted(self.end_of_turn)
        tokenizer = cast(PreTrainedTokenizerFast, self.tokenizer)
        return from_tokenizer(tokenizer, n_vocab=n_tokens, eos_token=end_of_turn)

    @torch.inference_mode()
    def read(
        self,
        tokens: Sequence[Sequence[int]],
        cache: RowCache,
        adapters: Sequence[Adapter | None],
    ) -> Tensor:
        """Each row's next tokens, equally many, join the cache.

        Returns:
            Logits (rows, V) after the last of them.
        """
        device, n_new = self.model.device, len(tokens[0])
        mask = cache.mask(n_new)
        with self._adapter_rows.used(adapters):
            output = self.model(
                input_ids=torch.tensor(tokens, device=device),
                position_ids=cache.positions(n_new).to(device),
                attention_mask=mask if mask is None else mask.to(device),
                past_key_values=cache.past,
                use_cache=True,
                logits_to_keep=1,
            )
        cache.advance(n_new)
        logits: Tensor = output.logits[:, -1]
        return logits

    def _measure(self) -> int:
        """Bytes a token takes in the cache; the first read also warms the model up."""
        cache = RowCache()
        cache.lengths = [0]
        self.read([[0]], cache, [None])
        return cache.n_bytes

    def _end_of_turn_tokens(self) -> set[int]:
        """The tokenizer's, and whatever else the model's own settings end with."""
        own = self.model.generation_config.eos_token_id
        tokens = own if isinstance(own, list) else [own]
        return {
            token
            for token in [*tokens, self.tokenizer.eos_token_id]
            if token is not None
        }


def _cache_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] // 2
    return CPU_CACHE_BYTES
