"""The tools that a chat offers, and whether the model has to call one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning_server_app.errors import invalid
from tuning_server_app.inference.fields import boolean, checked

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_TOOLS = 128

Tool = dict[str, Any]


@dataclass(frozen=True)
class ToolRequest:
    """`tools` are those that may be called; the model hears of no others."""

    tools: list[Tool] | None = None
    must_call: bool = False
    one_call: bool = False


def parse_tools(body: Mapping[str, Any]) -> ToolRequest:
    """`tools`, narrowed by `tool_choice`.

    Raises:
        ApiError: one of the two is not what OpenAI's contract says.
    """
    tools = _tools(body)
    choice = body.get("tool_choice")
    if choice is not None and not tools:
        if choice == "none":
            return ToolRequest()
        raise invalid("tool_choice is only allowed beside tools.", param="tool_choice")
    mode, names = _choice(choice)
    chosen = [tool for tool in tools if names is None or _name(tool) in names]
    unknown = set(names or ()) - {_name(tool) for tool in tools}
    if unknown:
        raise invalid(
            f"tool_choice names {', '.join(sorted(unknown))}, which is not in tools.",
            param="tool_choice",
        )
    return ToolRequest(
        tools=chosen if chosen and mode != "none" else None,
        must_call=mode == "required",
        one_call=not boolean(body, "parallel_tool_calls", True),
    )


def _tools(body: Mapping[str, Any]) -> list[Tool]:
    tools = body.get("tools")
    if tools is None:
        return []
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise invalid(f"tools must be a list of at most {MAX_TOOLS}.", param="tools")
    for number, tool in enumerate(tools):
        _check_tool(tool, f"tools[{number}]")
    return tools


def _check_tool(tool: Any, place: str) -> None:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise invalid(
            f'{place} must be of type "function"; this server knows no other tools.',
            param=f"{place}.type",
        )
    function = checked(tool, "function", dict, f"an object in {place}")
    name = function.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise invalid(
            f"{place}.function.name must be 1 to 64 letters, digits, _ or -.",
            param=f"{place}.function.name",
        )
    if not isinstance(function.get("parameters") or {}, dict):
        raise invalid(
            f"{place}.function.parameters must be a JSON schema.",
            param=f"{place}.function.parameters",
        )


def _choice(choice: Any) -> tuple[str, list[str] | None]:
    """none, auto or required, and the only tools meant, if they are named."""
    if choice is None:
        return "auto", None
    if choice in ("none", "auto", "required"):
        return choice, None
    try:
        if choice["type"] == "function":
            return "required", [str(choice["function"]["name"])]
        if choice["type"] == "allowed_tools":
            allowed = choice["allowed_tools"]
            names = [str(tool["function"]["name"]) for tool in allowed["tools"]]
            if allowed["mode"] in ("auto", "required"):
                return allowed["mode"], names
    except (KeyError, TypeError):
        pass
    raise invalid(
        'tool_choice must be "none", "auto", "required", or an object that names a'
        " function or the allowed tools.",
        param="tool_choice",
    )


def _name(tool: Tool) -> str:
    return str(tool["function"]["name"])
