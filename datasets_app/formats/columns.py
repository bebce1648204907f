"""Rows of named cells, of which a mapping says what they are.

A mapping is {role: column}, as {"system": "prompt", "user": "question", "assistant":
"answer"}; `messages` names a column that holds whole conversations, `preferred` and
`non_preferred` make a row a preference. With {"kind": "sharegpt"} the columns have the
names of that kind; {"kind": "rft", "user": …} makes tasks for a grader. `image` and
`tags` name columns beside the conversation, see `beside`. Columns that no role takes
are kept in `extra`.
"""

from collections.abc import Mapping
from typing import Any

from datasets_app import exact_json
from datasets_app.chat_format import OUTPUT_KEYS, RECORD_KEYS
from datasets_app.formats import beside
from datasets_app.formats.cells import parsed_cell
from datasets_app.formats.kinds import ALPACA, DPO, RFT
from datasets_app.formats.openai import (
    OLD_OUTPUT_KEYS,
    chat_record,
    preference_record,
    task_record,
)
from datasets_app.formats.sharegpt import messages_of
from datasets_app.jsonl import BadLine, json_type, parse_json

SPOKEN = ("system", "user", "assistant")
OUTPUTS = ("preferred", "non_preferred")
ROLES = ("messages", *SPOKEN, *OUTPUTS, "tools")
MAY_BE_JSON = {
    *("messages", "tools", "functions", "parallel_tool_calls", "input"),
    *(*OUTPUT_KEYS, *OLD_OUTPUT_KEYS.values(), "prompt", "completion"),
    *("chosen", "rejected", "conversations", "conversation", "history"),
}
# What people call such columns, in the order of preference.
USUAL_NAMES = {
    "messages": ("messages", "conversations", "conversation"),
    "system": ("system", "system_prompt", "시스템", "시스템 프롬프트"),
    "user": (
        *("user", "question", "prompt", "instruction", "input", "query", "problem"),
        *("질문", "사용자", "입력", "문제", "프롬프트"),
    ),
    "assistant": (
        *("assistant", "answer", "response", "completion", "output", "reply"),
        *("solution", "target", "답변", "대답", "응답", "답", "출력", "정답"),
    ),
    "preferred": ("preferred", "preferred_output", "better"),
    "non_preferred": ("non_preferred", "non_preferred_output", "worse"),
    "tools": ("tools",),
}


def guess_mapping(columns: list[str]) -> dict[str, str]:
    """What columns so named are likely to be; nothing where that is not clear."""
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    found = _guess_conversation(by_name)
    return found and {**found, **_guess(by_name, beside.NAMES)}


def _guess_conversation(by_name: dict[str, str]) -> dict[str, str]:
    if {"instruction", "output"} <= by_name.keys():
        return {"kind": ALPACA}
    if {"chosen", "rejected"} <= by_name.keys():
        return {"kind": DPO}
    found = _guess(by_name, USUAL_NAMES)
    if "messages" in found:
        return {role: found[role] for role in ("messages", "tools") if role in found}
    is_preference = set(OUTPUTS) <= found.keys()
    unwanted = ("assistant",) if is_preference else OUTPUTS
    return {role: name for role, name in found.items() if role not in unwanted}


def _guess(
    by_name: dict[str, str], usual: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    return {
        role: by_name[name]
        for role, names in usual.items()
        for name in reversed(names)
        if name in by_name
    }


def reads_columns(mapping: Mapping[str, str]) -> bool:
    """Does the mapping name columns, and not just a kind?"""
    return any(role in mapping for role in ROLES)


def columns_record(row: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Raises BadLine."""
    given: dict[str, Any] = {"messages": _conversation(row, mapping)}
    if (tools := _parsed(row, mapping.get("tools"))) is not None:
        given["tools"] = tools
    if any(role in mapping for role in OUTPUTS):
        answers = (_output(row, mapping.get(role)) for role in OUTPUTS)
        outputs = dict(zip(OUTPUT_KEYS, answers, strict=True))
        record = preference_record({"input": given, **outputs})
    else:
        record = (task_record if mapping.get("kind") == RFT else chat_record)(given)
    extra = {**_left_over(row, mapping), **record.get("extra", {})}
    return {**record, "extra": extra} if extra else record


def _left_over(row: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The other columns; those named like a part of a record under another name."""
    taken = {mapping[role] for role in ROLES if role in mapping}
    return {
        f"{key} (column)" if key in (*RECORD_KEYS, "input") else key: each
        for key, each in row.items()
        if key not in taken and each != ""
    }


def with_parsed_cells(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with lists and objects where a table could only hold their text."""
    return {**row, **{key: parsed_cell(row[key]) for key in MAY_BE_JSON & row.keys()}}


def _conversation(row: dict[str, Any], mapping: Mapping[str, str]) -> list[Any]:
    if column := mapping.get("messages"):
        found = _parsed(row, column)
        messages = _messages(found) if isinstance(found, list) else []
    else:
        messages = []
    for role in SPOKEN:
        if column := mapping.get(role):
            text = _text(row, column)
            if text or role != "system":
                messages.append({"role": role, "content": text})
    return messages


def _messages(turns: list[Any]) -> list[Any]:
    is_sharegpt = any(isinstance(turn, dict) and "from" in turn for turn in turns)
    return messages_of(turns) if is_sharegpt else turns


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise BadLine("field_not_text", key=column, found=json_type(value))
    return value if isinstance(value, str) else exact_json.dumps(value)


def _parsed(row: dict[str, Any], column: str | None) -> Any:
    value = row.get(column) if column else None
    if isinstance(value, str):
        return parse_json(value.encode()) if value.strip() else None
    return value


def _output(row: dict[str, Any], column: str | None) -> list[Any] | None:
    """The answer, which may come as the end of a whole conversation."""
    if column is None:
        return None
    value = row.get(column)
    if isinstance(value, list):
        return value[-1:]
    return [{"role": "assistant", "content": _text(row, column)}]
