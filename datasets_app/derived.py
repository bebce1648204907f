"""All that an example's row holds besides the conversation, worked out from it."""

from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from datasets_app import exact_json
from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import (
    SUPERVISED,
    all_messages,
    all_texts,
    content_hash,
    in_utf8,
    line_columns,
    line_of,
    optional_text,
    plain_texts,
)
from datasets_app.exact_json import JSONText
from datasets_app.jsonl import Problem
from datasets_app.token_counts import Counter, openai_counter


@dataclass(slots=True)
class Derived:
    """Texts and numbers only: an import holds thousands of these at a time.

    What is text here is canonical JSON, of which the line is made; `text` is what the
    search looks through, one message after the other.
    """

    messages: JSONText
    text: str
    n_tokens: int
    content_hash: str
    problems: tuple[Problem, ...]
    tools: JSONText | None = None
    functions: JSONText | None = None
    parallel_tool_calls: bool | None = None
    preferred_output: JSONText | None = None
    non_preferred_output: JSONText | None = None
    extra: JSONText | None = None


def derive(
    record: dict[str, Any],
    method: str = SUPERVISED,
    counter: Counter | None = None,
) -> Derived:
    """Canonical JSON, search text, token count, hash and problems of a record.

    Args:
        counter: of the dataset's base model; without one, gpt-4o's.
    """
    (derived,) = derive_all([record], method, counter or openai_counter())
    return derived


def derive_all(
    records: list[dict[str, Any]], method: str, counter: Counter
) -> list[Derived]:
    """The same of many records, whose tokens are counted together."""
    counts = counter.count_all(records)
    return [
        _derived(record, method, n_tokens)
        for record, n_tokens in zip(records, counts, strict=True)
    ]


def _derived(record: dict[str, Any], method: str, n_tokens: int) -> Derived:
    texts = plain_texts(record)
    if texts is None:
        return _derived_of_any(record, method, n_tokens)
    text, line = "\n".join(texts), exact_json.dump_bytes(record)
    return Derived(
        messages=JSONText(line[len(b'{"messages":') : -1].decode()),
        text=_searched(text),
        n_tokens=n_tokens,
        content_hash=content_hash(line),
        problems=tuple(find_problems(record, text, method)),
    )


def _derived_of_any(record: dict[str, Any], method: str, n_tokens: int) -> Derived:
    text = "\n".join(all_texts(all_messages(record)))
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
        text=_searched(text),
        n_tokens=n_tokens,
        content_hash=content_hash(line_of(*in_utf8(columns))),
        problems=tuple(find_problems(record, text, method)),
    )


def _searched(text: str) -> str:
    # PostgreSQL holds no NUL; one of the problems says that there is one. Korean typed
    # on a Mac comes in letters, and is searched for in syllables.
    return normalize("NFC", text.replace("\x00", ""))
