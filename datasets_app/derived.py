"""All that an example's row holds besides the conversation, worked out from it."""

from dataclasses import dataclass
from typing import Any

from datasets_app import exact_json
from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import (
    all_texts,
    canonical_messages,
    content_hash,
    line_of,
    optional_text,
)
from datasets_app.exact_json import JSONText
from datasets_app.jsonl import Problem
from datasets_app.token_counts import count_tokens


@dataclass(frozen=True, slots=True)
class Derived:
    """Texts and numbers only: an import holds thousands of these at a time.

    `messages`, `tools` and `functions` are canonical JSON, of which the line is made;
    `text` is what the search looks through, one message after the other.
    """

    messages: JSONText
    tools: JSONText | None
    functions: JSONText | None
    parallel_tool_calls: bool | None
    text: str
    n_tokens: int
    content_hash: str
    problems: tuple[Problem, ...]


def derive(record: dict[str, Any]) -> Derived:
    """Canonical JSON, search text, token count, hash and problems of a record."""
    texts = all_texts(record.get("messages"))
    text = "\n".join(texts)
    messages = exact_json.dumps(canonical_messages(record.get("messages")))
    tools = optional_text(record.get("tools"))
    functions = optional_text(record.get("functions"))
    parallel = record.get("parallel_tool_calls")
    line = line_of(messages, tools, parallel, functions)
    return Derived(
        messages=messages,
        tools=tools,
        functions=functions,
        parallel_tool_calls=parallel,
        # PostgreSQL holds no NUL; one of the problems says that there is one.
        text=text.replace("\x00", ""),
        n_tokens=count_tokens(record, texts),
        content_hash=content_hash(line),
        problems=tuple(find_problems(record, text)),
    )
