"""Putting right what a check found in a conversation, where no person need think."""

from collections.abc import Callable
from typing import Any

from datasets_app.chat_checks import RESERVED_TOKEN
from datasets_app.chat_format import MESSAGE_KEYS
from datasets_app.checks import patterns

Message = dict[str, Any]
Messages = list[Any]


def strip_tokens(messages: Messages) -> Messages:
    """Without control tokens and NUL characters."""
    return with_texts(messages, _without_tokens)


def _without_tokens(text: str) -> str:
    text = text.replace("\x00", "")
    while RESERVED_TOKEN.search(text):  # taking one out may leave another
        text = RESERVED_TOKEN.sub("", text)
    return text


def trim_answers(messages: Messages) -> Messages:
    return _each(messages, _trimmed)


def _trimmed(message: Message) -> Message:
    content = message.get("content")
    if message.get("role") != "assistant" or not isinstance(content, str):
        return message
    return {**message, "content": content.strip()}


def drop_empty(messages: Messages) -> Messages:
    """Without messages that say nothing and call nothing."""
    return [m for m in messages if not isinstance(m, dict) or not _is_empty(m)]


def _is_empty(message: Message) -> bool:
    if message.get("tool_calls") or message.get("function_call"):
        return False
    content = message.get("content")
    return not content or (isinstance(content, str) and not content.strip())


def learn_last_answer(messages: Messages) -> Messages:
    """The last message of the assistant has the usual weight."""
    for place in reversed(range(len(messages))):
        message = messages[place]
        if isinstance(message, dict) and message.get("role") == "assistant":
            usual = {k: v for k, v in message.items() if k != "weight"}
            return [*messages[:place], usual, *messages[place + 1 :]]
    return messages


def drop_wrong_weights(messages: Messages) -> Messages:
    """Weights stand on messages of the assistant, and are 0 or 1."""
    return _each(messages, _without_wrong_weight)


def _without_wrong_weight(message: Message) -> Message:
    weight = message.get("weight")
    is_right = type(weight) is int and weight in (0, 1)
    if "weight" not in message or (message.get("role") == "assistant" and is_right):
        return message
    return {key: value for key, value in message.items() if key != "weight"}


def drop_unknown_keys(messages: Messages) -> Messages:
    return _each(messages, lambda m: {k: v for k, v in m.items() if k in MESSAGE_KEYS})


def end_with_answer(messages: Messages) -> Messages:
    """Without what comes after the last message of the assistant."""
    for place in reversed(range(len(messages))):
        message = messages[place]
        if isinstance(message, dict) and message.get("role") == "assistant":
            return messages[: place + 1]
    return messages


def masking(code: str) -> Callable[[Messages], Messages]:
    """A mend that puts placeholders for the private data of one kind."""
    codes = frozenset({code})
    return lambda messages: with_texts(
        messages, lambda text: patterns.replace(text, codes)
    )


def masked_extra(value: Any, code: str) -> Any:
    """The further keys of a row with placeholders for the private data of one kind."""
    if isinstance(value, str):
        return patterns.replace(value, frozenset({code}))
    if isinstance(value, list):
        return [masked_extra(each, code) for each in value]
    if isinstance(value, dict):
        return {key: masked_extra(each, code) for key, each in value.items()}
    return value


def with_texts(messages: Messages, change: Callable[[str], str]) -> Messages:
    """The same messages with each of their texts changed."""
    return _each(messages, lambda message: _message_with(message, change))


def _message_with(message: Message, change: Callable[[str], str]) -> Message:
    changed = dict(message)
    for key in ("content", "name"):
        if isinstance(message.get(key), str):
            changed[key] = change(message[key])
    if isinstance(message.get("content"), list):
        changed["content"] = [_part_with(p, change) for p in message["content"]]
    if isinstance(message.get("tool_calls"), list):
        changed["tool_calls"] = [_call_with(c, change) for c in message["tool_calls"]]
    if isinstance(message.get("function_call"), dict):
        changed["function_call"] = _strings_with(message["function_call"], change)
    return changed


def _part_with(part: Any, change: Callable[[str], str]) -> Any:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return {**part, "text": change(part["text"])}
    return part


def _call_with(call: Any, change: Callable[[str], str]) -> Any:
    if isinstance(call, dict) and isinstance(call.get("function"), dict):
        return {**call, "function": _strings_with(call["function"], change)}
    return call


def _strings_with(values: dict[str, Any], change: Callable[[str], str]) -> Any:
    return {k: change(v) if isinstance(v, str) else v for k, v in values.items()}


def _each(messages: Messages, change: Callable[[Message], Message]) -> Messages:
    return [change(m) if isinstance(m, dict) else m for m in messages]


MASK = "mask_"
# What can be done at once about a finding: its code → the names of the mends.
CONTENT_MENDS: dict[str, Callable[[Messages], Messages]] = {
    "strip_tokens": strip_tokens,
    "trim_answers": trim_answers,
    "drop_empty": drop_empty,
    "learn_last_answer": learn_last_answer,
    "drop_wrong_weights": drop_wrong_weights,
    "drop_unknown_keys": drop_unknown_keys,
    "end_with_answer": end_with_answer,
    **{
        f"{MASK}{code}": masking(code)
        for code in ("secret", "email", "phone", "resident_number", "card_number")
    },
}
REMOVE, TO_TRAINING = "remove", "to_training"
MENDS_OF: dict[str, tuple[str, ...]] = {
    "reserved_token": ("strip_tokens",),
    "nul_character": ("strip_tokens",),
    "untrimmed_answer": ("trim_answers",),
    "empty_content": ("drop_empty",),
    "no_content": ("drop_empty",),
    "every_weight_zero": ("learn_last_answer",),
    "last_weight_zero": ("learn_last_answer",),
    "weight_not_allowed": ("drop_wrong_weights",),
    "bad_weight": ("drop_wrong_weights",),
    "extra_message_key": ("drop_unknown_keys",),
    "last_not_assistant": ("end_with_answer",),
    "secret": ("mask_secret",),
    "email": ("mask_email",),
    "phone": ("mask_phone",),
    "resident_number": ("mask_resident_number",),
    "card_number": ("mask_card_number",),
    "exact_duplicate": (REMOVE,),
    "near_duplicate": (REMOVE,),
    "overlap_exact": (REMOVE, TO_TRAINING),
    "overlap_near": (TO_TRAINING, REMOVE),
}
