"""All that an example's row holds besides the conversation, worked out from it."""

from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import (
    SUPERVISED,
    all_messages,
    all_texts,
    content_hash,
    line_columns,
    line_of,
    optional_text,
)
from datasets_app.exact_json import JSONText
from datasets_app.jsonl import Problem
from datasets_app.token_counts import Counter, openai_counter


@dataclass(frozen=True, slots=True)
class Derived:
    """Texts and numbers only: an import holds thousands of these at a time.

    What is text here is canonical JSON, of which the line is made; `text` is what the
    search looks through, one message after the other.
    """

    messages: JSONText
    tools: JSONText | None
    functions: JSONText | None
    parallel_tool_calls: bool | None
    preferred_output: JSONText | None
    non_preferred_output: JSONText | None
    extra: JSONText | None
    text: str
    n_tokens: int
    content_hash: str
    problems: tuple[Problem, ...]


def derive(
    record: dict[str, Any],
    method: str = SUPERVISED,
    counter: Counter | None = None,
) -> Derived:
    """Canonical JSON, search text, token count, hash and problems of a record.

    Args:
        counter: of the dataset's base model; without one, gpt-4o's.
    """
    messages = all_messages(record)
    texts = all_texts(messages)
    text = "\n".join(texts)
    columns = line_columns(record, method)
    conversation, tools, parallel, functions, preferred, non_preferred, _extra = columns
    return Derived(
        messages=conversation,
        tools=tools,
        functions=functions,
        parallel_tool_calls=parallel,
        preferred_output=preferred,
        non_preferred_output=non_preferred,
        extra=optional_text(record.get("extra")),
        # PostgreSQL holds no NUL; one of the problems says that there is one. Korean
        # typed on a Mac comes in letters, and is searched for in syllables.
        text=normalize("NFC", text.replace("\x00", "")),
        n_tokens=(counter or openai_counter()).count(record),
        content_hash=content_hash(line_of(*columns)),
        problems=tuple(find_problems(record, text, method)),
    )
