"""What one line of a training file may hold: a chat, or two answers to compare.

Each problem is the rest of a sentence that begins with "Example N".
"""

from collections.abc import Callable, Iterator
from typing import Any

from tuning_server_app.training_files.message_rules import problems_of_message

SUPERVISED, DPO = "supervised", "dpo"
TOOL_KEYS = {"tools", "parallel_tool_calls"}
CHAT_KEYS = {"messages", "functions", *TOOL_KEYS}
INPUT_KEYS = {"messages", *TOOL_KEYS}
# The name in guides and SDKs, and the one in an older schema of OpenAI's.
ANSWER_KEYS = [
    ("preferred_output", "preferred_completion"),
    ("non_preferred_output", "non_preferred_completion"),
]
PREFERENCE_KEYS = {"input", *(name for names in ANSWER_KEYS for name in names)}


def problems_of_example(example: object, method: str) -> Iterator[str]:
    if not isinstance(example, dict):
        yield ": the line is not a JSON object."
        return
    yield from RULES[method](example)


def _problems_of_chat(example: dict[str, Any]) -> Iterator[str]:
    yield from _extra_keys(example, CHAT_KEYS)
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield ' is missing "messages", a list with at least one message.'
        return
    yield from _problems_of_tools(example)
    yield from _problems_of_messages(messages)
    if not any(_is_learnt(message) for message in messages):
        yield " has no assistant message with a weight other than 0: nothing to learn."


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
    yield from _problems_of_tools(asked, ", input")
    yield from _problems_of_messages(messages, ", input")
    if isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant":
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
    elif not isinstance(answer[0], dict) or answer[0].get("role") != "assistant":
        yield f", {name} must hold a message of the assistant."
    else:
        yield from _problems_of_messages(answer, f", {name}")


def _problems_of_messages(messages: list[Any], place: str = "") -> Iterator[str]:
    for number, message in enumerate(messages, start=1):
        for text in problems_of_message(message):
            yield f"{place}, message {number} {text}"


def _problems_of_tools(found: dict[str, Any], place: str = "") -> Iterator[str]:
    tools = found.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        yield f'{place} has "tools" that are no list of objects.'


def _extra_keys(
    found: dict[str, Any], known: set[str], place: str = ""
) -> Iterator[str]:
    for key in sorted(found.keys() - known):
        yield f'{place} contains an extra key "{key[:50]}".'


def _is_learnt(message: object) -> bool:
    return (
        isinstance(message, dict)
        and message.get("role") == "assistant"
        and message.get("weight") != 0
    )


RULES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    SUPERVISED: _problems_of_chat,
    DPO: _problems_of_preference,
}
