"""Rows of a question and an answer under other names: prompt/completion, Alpaca, and
preferences as Hugging Face datasets have them."""

from typing import Any

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.formats.openai import chat_record, preference_record
from datasets_app.jsonl import BadLine, json_type

ALPACA_KEYS = ("instruction", "input", "output", "system", "history")


def prompt_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of the old format: `prompt` and `completion`, texts or lists of messages."""
    messages = [
        *_as_messages(row, "prompt", "user"),
        *_as_messages(row, "completion", "assistant"),
    ]
    return _chat_of(row, messages, ("prompt", "completion"))


def alpaca_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of `instruction`, `input` and `output`; perhaps `system` and `history`, which is
    a list of earlier [question, answer] pairs."""
    messages = []
    if system := _text(row, "system", optional=True):
        messages.append({"role": "system", "content": system})
    for pair in _history(row):
        messages += _turns(*pair)
    asked = [_text(row, "instruction"), _text(row, "input", optional=True)]
    question = "\n".join(filter(None, asked))
    messages += _turns(question, _text(row, "output"))
    return _chat_of(row, messages, ALPACA_KEYS)


def chosen_record(row: dict[str, Any]) -> dict[str, Any]:
    """Of `prompt`, `chosen` and `rejected`. Both answers may hold the prompt again."""
    chosen = _as_messages(row, "chosen", "assistant")
    rejected = _as_messages(row, "rejected", "assistant")
    if row.get("prompt") is None:
        prompt, other = chosen[:-1], rejected[:-1]
        if prompt != other:
            raise BadLine("prompts_differ")
    else:
        prompt = _as_messages(row, "prompt", "user")
    taken = ("prompt", "chosen", "rejected", *OUTPUT_KEYS)
    rest = {key: each for key, each in row.items() if key not in taken}
    outputs = dict(zip(OUTPUT_KEYS, (chosen[-1:], rejected[-1:]), strict=True))
    return preference_record({**rest, "input": {"messages": prompt}, **outputs})


def _chat_of(
    row: dict[str, Any], messages: list[Any], taken: tuple[str, ...]
) -> dict[str, Any]:
    rest = {key: each for key, each in row.items() if key not in taken}
    if "messages" in rest:
        raise BadLine("two_conversations")
    return chat_record({"messages": messages, **rest})


def _as_messages(row: dict[str, Any], key: str, role: str) -> list[Any]:
    """A text as one message, and no message where a text is empty."""
    value = row.get(key)
    if isinstance(value, list):
        return value
    text = _text(row, key)
    return [{"role": role, "content": text}] if text or role == "assistant" else []


def _turns(question: str, answer: str) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def _text(row: dict[str, Any], key: str, *, optional: bool = False) -> str:
    value = row.get(key)
    if value is None and optional:
        return ""
    if value is None:
        raise BadLine("no_field", key=key)
    if not isinstance(value, str):
        raise BadLine("field_not_text", key=key, found=json_type(value))
    return value


def _history(row: dict[str, Any]) -> list[list[str]]:
    pairs = row.get("history") or []
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(text, str) for text in pair)
        for pair in pairs
    ):
        raise BadLine("bad_history")
    return pairs
