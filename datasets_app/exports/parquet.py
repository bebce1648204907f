"""Parquet, a row group at a time: columns as training tools read them."""

import io
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from datasets_app.exports.rows import (
    DoesNotFit,
    Row,
    messages_in,
    outputs_of,
    turns_of,
)

GROUP_ROWS = 2_000
GROUP_CHARACTERS = 16 * 1024 * 1024
ToColumns = Callable[[Row], dict[str, Any]]
TEXT_KEYS = {"role", "content", "name", "tool_call_id"}


def chat_columns(row: Row) -> dict[str, Any]:
    _check_settings(row)
    return {"messages": _fitting(turns_of(row)), "tools": _text(row.tools)}


def preference_columns(row: Row) -> dict[str, Any]:
    """prompt, chosen and rejected, each a list of messages."""
    _check_settings(row)
    better, worse = outputs_of(row)
    return {
        "prompt": _fitting(messages_in(row.messages)),
        "chosen": _fitting(better),
        "rejected": _fitting(worse),
        "tools": _text(row.tools),
    }


def _check_settings(row: Row) -> None:
    if row.functions or row.parallel_tool_calls is not None:
        raise DoesNotFit("call_settings")


def _text(value: str | None) -> str | None:
    return None if value is None else str(value)


def _fitting(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, if every value is of its column's type."""
    for message in messages:
        if isinstance(message.get("content"), list):
            raise DoesNotFit("parts")
        if not all(_is_of_type(key, each) for key, each in message.items()):
            raise DoesNotFit("shape")
    return messages


def _is_of_type(key: str, value: Any) -> bool:
    if key in TEXT_KEYS or value is None:
        return value is None or isinstance(value, str)
    if key == "weight":
        return type(value) is int and value in (0, 1)
    return key == "tool_calls" and isinstance(value, list) and all(map(_is_call, value))


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"id", "type", "function"}:
        return False
    function = value.get("function")
    if not isinstance(function, dict) or not function.keys() <= {"name", "arguments"}:
        return False
    texts = (value.get("id"), value.get("type"), *function.values())
    return all(text is None or isinstance(text, str) for text in texts)


def chat_schema() -> Any:
    pa = import_module("pyarrow")  # not at the top: the first page need not wait for it
    return pa.schema({"messages": _messages_type(pa), "tools": pa.string()})


def preference_schema() -> Any:
    pa = import_module("pyarrow")
    turns = dict.fromkeys(("prompt", "chosen", "rejected"), _messages_type(pa))
    return pa.schema({**turns, "tools": pa.string()})


def _messages_type(pa: Any) -> Any:
    text = pa.string()
    function = pa.struct({"name": text, "arguments": text})
    call = pa.struct({"id": text, "type": text, "function": function})
    fields = dict.fromkeys(("role", "content", "name"), text)
    calls = {"tool_calls": pa.list_(call), "tool_call_id": text}
    return pa.list_(pa.struct({**fields, "weight": pa.int64(), **calls}))


def write_parquet(rows: Iterable[dict[str, Any]], schema: Any) -> Iterator[bytes]:
    """The file of these columns, a row group at a time."""
    pa, sink = import_module("pyarrow"), _Sink()
    with import_module("pyarrow.parquet").ParquetWriter(
        sink, schema, compression="zstd"
    ) as writer:
        for group in _groups(rows):
            writer.write_batch(pa.RecordBatch.from_pylist(group, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    n_characters = 0
    for columns in rows:
        group.append(columns)
        n_characters += len(str(columns))
        if len(group) >= GROUP_ROWS or n_characters >= GROUP_CHARACTERS:
            yield group
            group, n_characters = [], 0
    if group:
        yield group


class _Sink(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self.pieces = self.pieces, []
        return b"".join(pieces)
