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
    """`messages`, `tools`, `functions`: canonical JSON, of which the line is made."""

    record: dict[str, Any]
    texts: list[str]
    messages: JSONText
    tools: JSONText | None
    functions: JSONText | None
    content_hash: str
    problems: list[Problem]

    @property
    def text(self) -> str:
        """What the search looks through, one message after the other."""
        # PostgreSQL holds no NUL; one of the problems says that there is one.
        return "\n".join(self.texts).replace("\x00", "")

    @property
    def parallel_tool_calls(self) -> bool | None:
        return self.record.get("parallel_tool_calls")

    def count_tokens(self) -> int:
        return count_tokens(self.record, self.texts)


def derive(record: dict[str, Any]) -> Derived:
    """Canonical texts, search text, hash and problems of a record."""
    texts = all_texts(record.get("messages"))
    messages = exact_json.dumps(canonical_messages(record.get("messages")))
    tools = optional_text(record.get("tools"))
    functions = optional_text(record.get("functions"))
    line = line_of(messages, tools, record.get("parallel_tool_calls"), functions)
    return Derived(
        record=record,
        texts=texts,
        messages=messages,
        tools=tools,
        functions=functions,
        content_hash=content_hash(line),
        problems=find_problems(record, texts),
    )
