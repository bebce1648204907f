"""Tiny adapters, and what transformers' own `generate` says to a question."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from tests.tuning_server_app.tiny_model import NAME
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.training.adapters import new_adapter
from tuning_server_app.training.chat_rendering import render_prompt
from tuning_server_app.training.loading import load_model, load_tokenizer

QUESTION = [{"role": "user", "content": "피해는? How much?"}]


def make_adapter(base: Path, folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    adapter = new_adapter(load_model(base))
    for name, weights in adapter.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.3)
    adapter.save_pretrained(str(folder))


def make_request(**overrides: Any) -> ChatRequest:
    defaults: dict[str, Any] = {
        "base": NAME,
        "adapter": None,
        "messages": QUESTION,
        "max_tokens": 24,
    }
    return ChatRequest(**{**defaults, **overrides})


def answer(engine: Any, **overrides: Any) -> str:
    return "".join(delta.text for delta in engine.chat(make_request(**overrides)))


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def plainly_generated(
    base: Path, adapter: Path | None, messages: list[dict[str, Any]] = QUESTION
) -> str:
    """The greedy answer by a freshly loaded model with PEFT, without our loop."""
    tokenizer = load_tokenizer(base)
    model: Any = load_model(base)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    prompt = torch.tensor([render_prompt(tokenizer, messages)])
    output = model.eval().generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=False,
        max_new_tokens=24,
    )
    written = output[0, prompt.shape[1] :]
    return str(tokenizer.decode(written, skip_special_tokens=True))
