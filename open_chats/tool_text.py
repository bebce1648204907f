"""Tools written as text, for models whose chat template has no words for them.

The marks are the ones most open models were taught: `<tools>` lists them, `<tool_call>`
holds one call.
"""

import json
import re
from typing import Any

CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
INSTRUCTIONS = (
    "You may call these tools:\n<tools>\n{tools}\n</tools>\n"
    "To call one, write\n"
    '<tool_call>\n{{"name": "its name", "arguments": {{}}}}\n</tool_call>'
)


def tools_in_text(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """The same conversation with tools in the system message and calls as text."""
    spoken = [_calls_as_text(message) for message in messages]
    return _with_system_text(spoken, _instructions(tools)) if tools else spoken


def parse_tool_calls(answer: str) -> tuple[str, list[dict[str, Any]]]:
    """What the model said beside its calls, and the calls (name, arguments).

    A call that is not valid JSON stays in the text, where a person can see it.
    """
    calls = []

    def take(match: re.Match[str]) -> str:
        call = _parse_call(match[1])
        if call is None:
            return match[0]
        calls.append(call)
        return ""

    text = CALL.sub(take, answer)
    return (text.strip() if calls else answer), calls


def _instructions(tools: list[dict[str, Any]]) -> str:
    functions = (_json(tool.get("function", tool)) for tool in tools)
    return INSTRUCTIONS.format(tools="\n".join(functions))


def _with_system_text(
    messages: list[dict[str, Any]], text: str
) -> list[dict[str, Any]]:
    if messages and messages[0]["role"] == "system":
        first, *rest = messages
        content = f"{first['content']}\n\n{text}"
        return [{**first, "content": content}, *rest]
    return [{"role": "system", "content": text}, *messages]


def _calls_as_text(message: dict[str, Any]) -> dict[str, Any]:
    calls = message.get("tool_calls")
    if not calls:
        return message
    parts = [message["content"]] if message["content"] else []
    parts += [f"<tool_call>\n{_json(call['function'])}\n</tool_call>" for call in calls]
    spoken = {key: value for key, value in message.items() if key != "tool_calls"}
    return {**spoken, "content": "\n".join(parts)}


def _parse_call(text: str) -> dict[str, Any] | None:
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    return {"name": call["name"], "arguments": call.get("arguments", {})}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
