"""ShareGPT: `conversations` of {"from", "value"}, perhaps with `system` and `tools`."""

from typing import Any

from datasets_app import exact_json
from datasets_app.formats.openai import chat_record
from datasets_app.jsonl import BadLine, json_type, parse_json

TURN_KEYS = ("conversations", "conversation")
ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
    "function_call": "assistant",
    "tool_call": "assistant",
    "observation": "tool",
    "tool": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}
CALLS = ("function_call", "tool_call")
SAID_KEYS = ("from", "value", "role", "content")


def sharegpt_record(row: dict[str, Any]) -> dict[str, Any]:
    """Raises BadLine."""
    key = next((key for key in TURN_KEYS if key in row), None)
    if key is None:
        raise BadLine("no_field", key="conversations")
    turns = row[key]
    if not isinstance(turns, list):
        raise BadLine("field_not_list", key=key, found=json_type(turns))
    messages = messages_of(turns)
    if system := row.get("system"):
        messages.insert(0, {"role": "system", "content": system})
    taken = (key, "tools", "system")
    rest = {name: each for name, each in row.items() if name not in taken}
    if "messages" in rest:
        raise BadLine("two_conversations")
    if tools := _tools(row.get("tools")):
        rest["tools"] = tools
    return chat_record({"messages": messages, **rest})


def messages_of(turns: list[Any]) -> list[dict[str, Any]]:
    """Raises BadLine."""
    messages: list[dict[str, Any]] = []
    open_calls: list[str] = []
    for index, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise BadLine("bad_turn", number=index)
        message = _message(turn, index)
        if message.get("tool_calls"):
            open_calls = _ids(message["tool_calls"])
        elif message["role"] == "tool" and open_calls:
            message["tool_call_id"] = open_calls.pop(0)
        messages.append(message)
    return messages


def _message(turn: dict[str, Any], index: int) -> dict[str, Any]:
    said_by = turn.get("from", turn.get("role"))
    value = turn.get("value", turn.get("content"))
    role = ROLES.get(said_by, said_by) if isinstance(said_by, str) else said_by
    further = {key: each for key, each in turn.items() if key not in SAID_KEYS}
    if said_by in CALLS:
        return {"role": role, **further, "tool_calls": _calls(value, index)}
    return {"role": role, "content": value, **further}


def _calls(value: Any, index: int) -> list[dict[str, Any]]:
    """Of a text like {"name": …, "arguments": {…}}, or a list of such."""
    try:
        called = parse_json(value.encode()) if isinstance(value, str) else value
    except BadLine as exc:
        raise BadLine("bad_turn_call", number=index) from exc
    called = called if isinstance(called, list) else [called]
    if not all(isinstance(each, dict) and "name" in each for each in called):
        raise BadLine("bad_turn_call", number=index)
    return [
        {
            "id": f"call_{index}_{number}",
            "type": "function",
            "function": {"name": each["name"], "arguments": _arguments(each)},
        }
        for number, each in enumerate(called, start=1)
    ]


def _ids(calls: Any) -> list[str]:
    """Whose answers come next. Calls that a turn gave itself may be anything; what is
    wrong with them the checks of the row say."""
    made = calls if isinstance(calls, list) else []
    return [each["id"] for each in made if isinstance(each, dict) and "id" in each]


def _arguments(called: dict[str, Any]) -> Any:
    arguments = called.get("arguments", called.get("parameters", {}))
    return arguments if isinstance(arguments, str) else exact_json.dumps(arguments)


def _tools(value: Any) -> Any:
    """A list of tools; ShareGPT writes it as a text, and tools without their type."""
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = parse_json(value.encode())
        except BadLine as exc:
            raise BadLine("tools_not_list", key="tools") from exc
    if not isinstance(value, list):
        return value
    return [
        {"type": "function", "function": tool}
        if isinstance(tool, dict) and "name" in tool and "function" not in tool
        else tool
        for tool in value
    ]
