"""An example as the conversations that a model learns from."""

from dataclasses import dataclass
from typing import Any

SUPERVISED, DPO = "supervised", "dpo"
# The name in guides and SDKs, and the one in an older schema of OpenAI's.
ANSWER_KEYS = [
    ("preferred_output", "preferred_completion"),
    ("non_preferred_output", "non_preferred_completion"),
]


@dataclass(frozen=True)
class Conversation:
    """Learnt are the assistant's messages, except those of the weight 0."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None


def conversations(example: dict[str, Any], method: str) -> list[Conversation]:
    """The one chat of an example, or, of a preference, the question with the preferred
    answer and with the other.

    Args:
        example: one without problems, as `problems_of_example` finds them.
    """
    if method == SUPERVISED:
        return [Conversation(example["messages"], tools_of(example))]
    asked = example["input"]
    read = [message | {"weight": 0} for message in asked["messages"]]
    return [
        Conversation([*read, _answer(example, names) | {"weight": 1}], tools_of(asked))
        for names in ANSWER_KEYS
    ]


def tools_of(found: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The tools, with the deprecated `functions` among them."""
    functions = found.get("functions") or []
    tools = [{"type": "function", "function": function} for function in functions]
    return [*(found.get("tools") or []), *tools] or None


def _answer(example: dict[str, Any], names: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = next(example[name] for name in names if name in example)[0]
    return found
