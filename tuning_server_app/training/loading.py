"""Base models and tokenizers from a ready folder, alike for training and answering."""

from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def weights_dtype(on: torch.device) -> torch.dtype:
    """float32 on a CPU, where bfloat16 is emulated and several times slower."""
    return torch.bfloat16 if on.type == "cuda" else torch.float32


def load_model(folder: Path, *, attention: str = "sdpa") -> PreTrainedModel:
    """The model's frozen weights on the best device; safetensors only, no code."""
    on = device()
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=weights_dtype(on),
        attn_implementation=attention,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    model.requires_grad_(False)
    torch.nn.Module.to(model, on)
    return model


def load_as_stored(folder: Path) -> PreTrainedModel:
    """The weights in their own precision, on the CPU: to be written out again."""
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype="auto",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    return model


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True
    )
    return tokenizer


def context_length(model: PreTrainedModel) -> int:
    """How many tokens the model reads at most."""
    return int(model.config.max_position_embeddings)
