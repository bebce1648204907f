"""Weights without this project: transformers and PEFT as anybody uses them."""

from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def ask_merged(folder: Path, messages: list[dict[str, str]], n_tokens: int) -> str:
    return _greedy(
        AutoModelForCausalLM.from_pretrained(folder), folder, messages, n_tokens
    )


def ask_adapter(
    base: Path, adapter: Path, messages: list[dict[str, str]], n_tokens: int
) -> str:
    model = AutoModelForCausalLM.from_pretrained(base)
    return _greedy(PeftModel.from_pretrained(model, adapter), base, messages, n_tokens)


def _greedy(
    model: Any, folder: Path, messages: list[dict[str, str]], n_tokens: int
) -> str:
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    written = model.generate(**prompt, max_new_tokens=n_tokens, do_sample=False)
    n_prompt = prompt["input_ids"].shape[1]
    text: str = tokenizer.decode(written[0, n_prompt:], skip_special_tokens=True)
    return text
