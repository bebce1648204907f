"""All that an example's row holds besides the conversation, worked out from it."""

from dataclasses import dataclass
from typing import Any

from datasets_app import exact_json
from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import (
    canonical_messages,
    content_hash,
    line_of,
    optional_text,
    searchable_text,
)
from datasets_app.exact_json import JSONText
from datasets_app.jsonl import Problem


@dataclass(frozen=True, slots=True)
class Derived:
    messages: JSONText
    tools: JSONText | None
    functions: JSONText | None
    text: str
    content_hash: str
    problems: list[Problem]


def derive(record: dict[str, Any]) -> Derived:
    """Canonical texts, search text, hash and problems of a record (not its tokens)."""
    text = searchable_text(record.get("messages"))
    messages = exact_json.dumps(canonical_messages(record.get("messages")))
    tools = optional_text(record.get("tools"))
    functions = optional_text(record.get("functions"))
    line = line_of(messages, tools, record.get("parallel_tool_calls"), functions)
    return Derived(
        messages=messages,
        tools=tools,
        functions=functions,
        text=text.replace("\x00", ""),  # PostgreSQL holds none; a problem says so
        content_hash=content_hash(line),
        problems=find_problems(record, text),
    )
