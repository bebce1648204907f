"""What one line of a training file may hold: a chat, or two answers to compare.

Each problem is the rest of a sentence that begins with "Example N".
"""

from collections.abc import Callable, Iterator
from typing import Any

from open_chats.segments import MAX_MESSAGES
from tuning_server_app.training_files.conversations import (
    ANSWER_KEYS,
    DPO,
    SUPERVISED,
)
from tuning_server_app.training_files.message_rules import problems_of_message
from tuning_server_app.training_files.tool_rules import problems_of_tools

INPUT_KEYS = {"messages", "tools", "parallel_tool_calls"}
CHAT_KEYS = {*INPUT_KEYS, "functions"}
PREFERENCE_KEYS = {"input", *(name for names in ANSWER_KEYS for name in names)}


def problems_of_example(example: dict[str, Any], method: str) -> Iterator[str]:
    yield from RULES[method](example)


def _problems_of_chat(example: dict[str, Any]) -> Iterator[str]:
    yield from _extra_keys(example, CHAT_KEYS)
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield ' is missing "messages", a list with at least one message.'
        return
    yield from problems_of_tools(example)
    yield from _problems_of_messages(messages)
    yield from _problems_of_ending(messages)


def _problems_of_ending(messages: list[Any]) -> Iterator[str]:
    """There is an answer to learn, and the conversation ends with it."""
    if not any(_is_learnt(message) for message in messages):
        yield " has no assistant message with a weight other than 0: nothing to learn."
    elif not _is_answer(messages[-1]):
        yield (
            f", message {len(messages)} is the last one, but not the assistant's: end"
            " with its answer."
        )
    elif not _is_learnt(messages[-1]):
        yield (
            f", message {len(messages)} is the last one, but has the weight 0: its"
            " answer would not be learnt."
        )


def _problems_of_preference(example: dict[str, Any]) -> Iterator[str]:
    yield from _extra_keys(example, PREFERENCE_KEYS)
    if "input" not in example:
        yield " is missing key 'input'."
    else:
        yield from _problems_of_input(example["input"])
    for names in ANSWER_KEYS:
        yield from _problems_of_answer(example, names)


def _problems_of_input(asked: Any) -> Iterator[str]:
    messages = asked.get("messages") if isinstance(asked, dict) else None
    if not isinstance(messages, list) or not messages:
        yield ', input is missing "messages", a list with at least one message.'
        return
    yield from _extra_keys(asked, INPUT_KEYS, ", input")
    yield from problems_of_tools(asked, ", input")
    yield from _problems_of_messages(messages, ", input", MAX_MESSAGES - 1)
    if _is_answer(messages[-1]):
        yield ", input ends with an assistant message: nothing is left to answer."


def _problems_of_answer(
    example: dict[str, Any], names: tuple[str, str]
) -> Iterator[str]:
    name = next((name for name in names if name in example), None)
    if name is None:
        yield f" is missing key '{names[0]}'."
        return
    answer = example[name]
    if not isinstance(answer, list) or len(answer) != 1:
        yield f", {name} must be a list with exactly one assistant message."
    elif not _is_answer(answer[0]):
        yield f", {name} must hold a message of the assistant."
    else:
        yield from _problems_of_messages(answer, f", {name}")


def _problems_of_messages(
    messages: list[Any], place: str = "", most: int = MAX_MESSAGES
) -> Iterator[str]:
    if len(messages) > most:
        yield (
            f"{place} has {len(messages)} messages; at most {most} are possible. Leave"
            " out earlier ones."
        )
        return
    for number, message in enumerate(messages, start=1):
        for text in problems_of_message(message):
            yield f"{place}, message {number} {text}"


def _extra_keys(
    found: dict[str, Any], known: set[str], place: str = ""
) -> Iterator[str]:
    for key in sorted(found.keys() - known):
        yield f'{place} contains an extra key "{key[:50]}".'


def _is_answer(message: object) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _is_learnt(message: Any) -> bool:
    return _is_answer(message) and message.get("weight") != 0


RULES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    SUPERVISED: _problems_of_chat,
    DPO: _problems_of_preference,
}
