"""Tools written as text, for models whose chat template has no words for them.

The marks are the ones most open models were taught: `<tools>` lists them, `<tool_call>`
holds one call.
"""

import json
import re
from collections.abc import Collection
from typing import Any

CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
CALL_BEGINS = "<tool_call>"
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


def parse_tool_calls(
    answer: str, names: Collection[str] = ()
) -> tuple[str, list[dict[str, Any]]]:
    """What the model said beside its calls, and the calls (name, arguments).

    A call that is not valid JSON, or of none of `names` where these are given, stays in
    the text, where a person can see it. An answer that is nothing but JSON, as Llama's
    and Mistral's calls are, is a call only if it is one of `names`.
    """
    bare = _bare_calls(answer, names)
    if bare:
        return "", bare
    calls = []

    def take(match: re.Match[str]) -> str:
        call = _parse_call(match[1])
        if call is None or (names and call["name"] not in names):
            return match[0]
        calls.append(call)
        return ""

    text = CALL.sub(take, answer)
    return (text.strip() if calls else answer), calls


class CallsInText:
    """Tells an answer's text as it comes from what may be a call, which is held."""

    def __init__(self) -> None:
        self.held = ""
        self._has_spoken = False

    def add(self, text: str) -> str:
        """The text that is surely no part of a call."""
        self.held += text
        at = self._call_begins_at()
        spoken, self.held = self.held[:at], self.held[at:]
        self._has_spoken = self._has_spoken or bool(spoken)
        return spoken

    def _call_begins_at(self) -> int:
        """Where a call begins, or may begin; white space before it belongs to it."""
        at = self.held.find(CALL_BEGINS)
        if at < 0:
            at = len(self.held) - self._n_suspect()
        before = self.held[:at].rstrip()
        may_be_bare = not self._has_spoken and self.held.lstrip()[:1] in ("{", "[")
        return 0 if may_be_bare else len(before)

    def _n_suspect(self) -> int:
        lengths = range(min(len(CALL_BEGINS) - 1, len(self.held)), 0, -1)
        ends = (n for n in lengths if self.held.endswith(CALL_BEGINS[:n]))
        return next(ends, 0)


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


def _bare_calls(answer: str, names: Collection[str]) -> list[dict[str, Any]]:
    if not names or answer.lstrip()[:1] not in ("{", "["):
        return []
    value = _parse_json(answer)
    calls = [_call(each) for each in (value if isinstance(value, list) else [value])]
    known = [call for call in calls if call and call["name"] in names]
    return known if len(known) == len(calls) else []


def _parse_call(text: str) -> dict[str, Any] | None:
    return _call(_parse_json(text.strip()))


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _call(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):  # some models write them as OpenAI's API has them
        arguments = _parse_json(arguments)
    if not isinstance(arguments, dict):
        return None
    return {"name": value["name"], "arguments": arguments}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
