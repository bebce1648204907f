"""What may be wrong with a row for the method that its dataset is for."""

from collections.abc import Iterator
from typing import Any

from datasets_app.chat_format import DPO, OUTPUT_KEYS, REINFORCEMENT, SUPERVISED
from datasets_app.jsonl import Problem


def method_problems(record: dict[str, Any], method: str) -> Iterator[Problem]:
    """Of a record that has messages. The grader of a reinforcement row adds answers,
    so such a row may end with anybody's message."""
    has_outputs = any(key in record for key in OUTPUT_KEYS)
    if has_outputs != (method == DPO):
        found = DPO if has_outputs else SUPERVISED
        yield Problem("other_method", params={"found": found, "wanted": method})
    elif method == DPO:
        yield from _preference_problems(record)
    elif method != REINFORCEMENT:
        yield from _ending_problems(record["messages"])


def outputs_of(record: dict[str, Any]) -> list[tuple[int, Any]]:
    """(index, message) of the outputs, counted on from the last message."""
    messages = record.get("messages")
    start = len(messages) if isinstance(messages, list) else 0
    outputs = [record.get(key) for key in OUTPUT_KEYS]
    found = [each for output in outputs if isinstance(output, list) for each in output]
    return list(enumerate(found, start=start + 1))


def _preference_problems(record: dict[str, Any]) -> Iterator[Problem]:
    """One answer is better than another: both are there, and nothing but text is."""
    messages = record["messages"]
    if _role_of(messages[-1]) == "assistant":
        yield Problem("input_is_answered", len(messages))
    for index, message in enumerate(messages, start=1):
        if _has_image(message):
            yield Problem("image_in_preference", index)
    for key in OUTPUT_KEYS:
        output = record.get(key)
        if not isinstance(output, list) or len(output) != 1:
            yield Problem("not_one_output", params={"key": key})


def _has_image(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "image_url" for part in content
    )


def _ending_problems(messages: list[Any]) -> Iterator[Problem]:
    """There is an answer to learn, and the conversation ends with it."""
    last, index = messages[-1], len(messages)
    role = _role_of(last)
    if role == "assistant":
        if type(last.get("weight")) is int and last["weight"] == 0:
            yield Problem("last_weight_zero", index)
    elif not any(_role_of(message) == "assistant" for message in messages):
        yield Problem("no_assistant")
    else:
        yield Problem("last_not_assistant", index, {"role": str(role)[:100]})


def _role_of(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None
