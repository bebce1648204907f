"""What tools may look like in a training file, and calls of them."""

import re
from collections.abc import Iterator
from typing import Any

from open_chats.plain_messages import json_of
from open_chats.texts import texts_in

MAX_FUNCTIONS = 128
FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# What a tokenizer takes for a token of its own would end the message early.
CONTROL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]+\|>")


def problems_of_tools(found: dict[str, Any], place: str = "") -> Iterator[str]:
    """Of `tools`, the deprecated `functions`, and `parallel_tool_calls`."""
    for key in ("tools", "functions"):
        yield from _problems_of_list(key, found.get(key), place)
    if not isinstance(found.get("parallel_tool_calls"), bool | None):
        yield f'{place} has "parallel_tool_calls" that are neither true nor false.'


def problems_of_calls(message: dict[str, Any]) -> Iterator[str]:
    """Of `tool_calls` and the deprecated `function_call`."""
    calls, function_call = message.get("tool_calls"), message.get("function_call")
    if calls is None and function_call is None:
        return
    if message["role"] != "assistant":
        yield "calls a tool, which only the assistant does."
    elif not isinstance(calls, list | None):
        yield 'has "tool_calls" that are no list.'
    else:
        for number, call in enumerate(calls or [], start=1):
            if not _is_call(call):
                yield (
                    f"has a tool call ({number}) that is not complete: it needs an id,"
                    ' the type "function" and a function.'
                )
            else:
                yield from _problems_of_call(call["function"])
        if function_call is not None:
            yield from _problems_of_call(function_call)


def is_function_name(name: object) -> bool:
    return isinstance(name, str) and FUNCTION_NAME.fullmatch(name) is not None


def control_tokens(value: Any) -> Iterator[str]:
    """Those in any text inside the value."""
    for text in texts_in(value):
        yield from CONTROL_TOKEN.findall(text)


def _problems_of_list(key: str, tools: Any, place: str) -> Iterator[str]:
    if tools is None:
        return
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        yield f'{place} has "{key}" that are no list of objects.'
        return
    if len(tools) > MAX_FUNCTIONS:
        yield (
            f'{place} has {len(tools)} entries in "{key}"; at most {MAX_FUNCTIONS} are'
            " allowed."
        )
        return
    is_sound = _is_tool if key == "tools" else _is_function
    for number, tool in enumerate(tools, start=1):
        if not is_sound(tool):
            yield (
                f'{place} has "{key}" whose entry {number} is no function definition:'
                ' its name is of letters, digits, "_" or "-", its description is text,'
                ' its parameters are an object; in tools, the type is "function".'
            )
    for token in list(control_tokens(tools))[:1]:
        yield f'{place} has the control token {token} in "{key}".'


def _is_tool(tool: dict[str, Any]) -> bool:
    return tool.get("type") == "function" and _is_function(tool.get("function"))


def _is_function(function: Any) -> bool:
    return (
        isinstance(function, dict)
        and is_function_name(function.get("name"))
        and isinstance(function.get("description"), str | None)
        and isinstance(function.get("parameters"), dict | None)
    )


def _is_call(call: Any) -> bool:
    return (
        isinstance(call, dict)
        and isinstance(call.get("id"), str)
        and bool(call["id"])
        and call.get("type") == "function"
        and isinstance(call.get("function"), dict)
    )


def _problems_of_call(function: Any) -> Iterator[str]:
    if not isinstance(function, dict) or not is_function_name(function.get("name")):
        yield (
            "calls a function without a usable name: 1 to 64 letters, digits,"
            ' "_" or "-".'
        )
        return
    name, arguments = function["name"], function.get("arguments")
    if not isinstance(arguments, str):
        yield f"has arguments of {name} that are no string of JSON."
        return
    try:
        parsed = json_of(arguments)
    except (ValueError, RecursionError):
        yield f"has arguments of {name} that are not JSON."
        return
    for token in list(control_tokens(parsed))[:1]:
        yield f"contains the control token {token} in the arguments of {name}."
