"""A row on its way out, and the count of those that a format cannot hold."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from datasets_app.chat_format import OUTPUT_KEYS, in_utf8, line_columns, line_of


class Row(NamedTuple):
    """The parts of a row as canonical JSON, in the order that `line_of` takes."""

    messages: bytes
    tools: bytes | None = None
    parallel_tool_calls: bool | None = None
    functions: bytes | None = None
    preferred_output: bytes | None = None
    non_preferred_output: bytes | None = None
    extra: bytes | None = None

    @property
    def line(self) -> bytes:
        """As it is frozen; `extra` is given with rows whose line has it."""
        return line_of(*self)

    @property
    def is_preference(self) -> bool:
        return bool(self.preferred_output and self.non_preferred_output)


def row_of(record: dict[str, Any], method: str) -> Row:
    return Row(*in_utf8(line_columns(record, method)))


class DoesNotFit(Exception):
    """The format has no place for something that the row says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Tally:
    """How many rows were written, and why others were left out."""

    n_written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def n_left_out(self) -> int:
        return self.left_out.total()

    @property
    def n_rows(self) -> int:
        return self.n_written + self.n_left_out


def turns_of(row: Row) -> list[dict[str, Any]]:
    """The messages, whose keys and roles are texts. Raises DoesNotFit."""
    if row.is_preference:
        raise DoesNotFit("preference")
    return messages_in(row.messages)


def messages_in(text: bytes | None) -> list[dict[str, Any]]:
    messages = orjson.loads(text or b"null")
    if not isinstance(messages, list) or not messages:
        raise DoesNotFit("shape")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise DoesNotFit("shape")
    return messages


def is_plain(message: dict[str, Any]) -> bool:
    """Is it nothing but a role and a text? Nearly every message is."""
    return len(message) == 2 and type(message.get("content")) is str


def text_of(message: dict[str, Any]) -> str:
    """Of a message that is nothing but text. Raises DoesNotFit."""
    content = message.get("content")
    if message.get("tool_calls") or message.get("function_call"):
        raise DoesNotFit("tools")
    if isinstance(content, list):
        raise DoesNotFit("parts")
    if not isinstance(content, str):
        raise DoesNotFit("shape")
    return content


def spoken(row: Row) -> Iterator[tuple[str, str]]:
    """(role, text) of each message of a plain conversation. Raises DoesNotFit."""
    if row.tools or row.functions:
        raise DoesNotFit("tools")
    for message in turns_of(row):
        if is_plain(message) and message["role"] not in ("tool", "function"):
            yield message["role"], message["content"]
            continue
        if message.get("weight") == 0:
            raise DoesNotFit("weights")
        if message["role"] in ("tool", "function"):
            raise DoesNotFit("tools")
        if "name" in message:
            raise DoesNotFit("names")
        yield message["role"], text_of(message)


def outputs_of(row: Row) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The better and the worse answer. Raises DoesNotFit."""
    if not row.is_preference:
        raise DoesNotFit("no_preference")
    better, worse = (messages_in(getattr(row, key)) for key in OUTPUT_KEYS)
    return better, worse
