"""What may be wrong with the tools of a row, and with the calls of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

from datasets_app.jsonl import Problem

FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_FUNCTIONS = 128


def definition_problems(record: dict[str, Any]) -> Iterator[Problem]:
    """Of `tools`, `functions` and `parallel_tool_calls`."""
    for key in ("tools", "functions"):
        if (value := record.get(key)) is not None:
            yield from _list_problems(key, value)
    parallel = record.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield Problem("parallel_not_boolean")


def _list_problems(key: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list) or not value:
        yield Problem("tools_not_list", params={"key": key})
    elif len(value) > MAX_FUNCTIONS:
        yield Problem(
            "too_many_tools",
            params={"key": key, "n": len(value), "limit": MAX_FUNCTIONS},
        )
    else:
        for number, each in enumerate(value, start=1):
            if not (_is_tool(each) if key == "tools" else _is_function(each)):
                yield Problem("bad_tool", params={"key": key, "number": number})


def _is_tool(tool: Any) -> bool:
    return (
        isinstance(tool, dict)
        and tool.get("type") == "function"
        and _is_function(tool.get("function"))
    )


def _is_function(function: Any) -> bool:
    return (
        isinstance(function, dict)
        and _is_name(function.get("name"))
        and isinstance(function.get("description", ""), str)
        and isinstance(function.get("parameters", {}), dict)
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and FUNCTION_NAME.fullmatch(name) is not None


def call_problems(message: dict[str, Any], index: int) -> Iterator[Problem]:
    """Of `tool_calls`, `function_call` and `tool_call_id` in one message."""
    role = message.get("role")
    calls, function_call = message.get("tool_calls"), message.get("function_call")
    if calls is not None:
        yield from _tool_calls_problems(calls, role, index)
    if function_call is not None:
        if role != "assistant":
            yield Problem("calls_not_allowed", index, {"role": str(role)[:100]})
        yield from _function_call_problems(function_call, index)
    yield from _answer_problems(message, index)


def _tool_calls_problems(calls: Any, role: Any, index: int) -> Iterator[Problem]:
    if role != "assistant":
        yield Problem("calls_not_allowed", index, {"role": str(role)[:100]})
    if not isinstance(calls, list) or not calls:
        yield Problem("tool_calls_not_list", index)
        return
    seen: set[str] = set()
    for number, call in enumerate(calls, start=1):
        if not _is_call(call):
            yield Problem("bad_tool_call", index, {"number": number})
            continue
        if call["id"] in seen:
            yield Problem("tool_call_id_twice", index, {"id": call["id"][:100]})
        seen.add(call["id"])
        yield from _function_call_problems(call["function"], index)


def _is_call(call: Any) -> bool:
    return (
        isinstance(call, dict)
        and isinstance(call.get("id"), str)
        and bool(call["id"])
        and call.get("type") == "function"
        and isinstance(call.get("function"), dict)
        and call.keys() == {"id", "type", "function"}
    )


def _function_call_problems(call: Any, index: int) -> Iterator[Problem]:
    if not isinstance(call, dict) or not _is_name(call.get("name")):
        yield Problem("bad_function_name", index)
        return
    arguments = call.get("arguments")
    if not isinstance(arguments, str):
        yield Problem("arguments_not_text", index, {"name": call["name"]})
    elif not _is_json(arguments):
        yield Problem("arguments_not_json", index, {"name": call["name"]})
    for key in call.keys() - {"name", "arguments"}:
        yield Problem("extra_message_key", index, {"key": key[:100]})


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _answer_problems(message: dict[str, Any], index: int) -> Iterator[Problem]:
    role, call_id = message.get("role"), message.get("tool_call_id")
    if role == "tool":
        if not isinstance(call_id, str) or not call_id:
            yield Problem("no_tool_call_id", index)
    elif call_id is not None:
        yield Problem("tool_call_id_not_allowed", index, {"role": str(role)[:100]})
    if role == "function" and not _is_name(message.get("name")):
        yield Problem("no_function_name", index)
