"""Parquet, a row group at a time: columns as training tools read them."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, NamedTuple

from datasets_app.exports.rows import (
    DoesNotFit,
    Row,
    is_plain,
    messages_in,
    outputs_of,
    turns_of,
)

GROUP_ROWS = 2_000
GROUP_CHARACTERS = 16 * 1024 * 1024
TEXT_KEYS = {"role", "content", "name", "tool_call_id"}
Messages = list[dict[str, Any]]


class Columns(NamedTuple):
    """Of one row: lists of messages, the tools as text, and how long it all is."""

    conversations: tuple[Messages, ...]
    tools: str | None
    n_characters: int


ToColumns = Callable[[Row], Columns]


def chat_columns(row: Row) -> Columns:
    _check_settings(row)
    return _columns(row, turns_of(row))


def preference_columns(row: Row) -> Columns:
    """prompt, chosen and rejected, each a list of messages."""
    _check_settings(row)
    better, worse = outputs_of(row)
    return _columns(row, messages_in(row.messages), better, worse)


def _columns(row: Row, *conversations: Messages) -> Columns:
    length = sum(len(each) for each in row if isinstance(each, bytes))
    return Columns(tuple(map(_fitting, conversations)), _text(row.tools), length)


def _check_settings(row: Row) -> None:
    if row.functions or row.parallel_tool_calls is not None:
        raise DoesNotFit("call_settings")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _fitting(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, if every value is of its column's type."""
    for message in messages:
        if is_plain(message):
            continue
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


def write_parquet(rows: Iterable[Columns], schema: Any) -> Iterator[bytes]:
    """The file of these columns, a row group at a time.

    While one group is packed, which needs no Python, the next one is read.
    """
    sink = _Sink()
    with (
        import_module("pyarrow.parquet").ParquetWriter(
            sink, schema, compression="zstd"
        ) as writer,
        ThreadPoolExecutor(1) as packer,
    ):
        packed = None
        for batch in _batches(rows, schema):
            if packed is not None:
                packed.result()
                yield sink.taken()
            packed = packer.submit(writer.write_batch, batch)
        if packed is not None:
            packed.result()
            yield sink.taken()
    yield sink.taken()


def _batches(rows: Iterable[Columns], schema: Any) -> Iterator[Any]:
    group = _Group(schema)
    for columns in rows:
        group.add(columns)
        if group.is_full:
            yield group.as_batch()
            group = _Group(schema)
    if group.tools:
        yield group.as_batch()


class _Group:
    """Rows taken apart at once: thousands of dictionaries would only be in the way."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.turns = [_Turns(each) for each in schema.types[:-1]]
        self.tools: list[str | None] = []
        self.n_characters = 0

    def add(self, columns: Columns) -> None:
        for turns, messages in zip(self.turns, columns.conversations, strict=True):
            turns.add(messages)
        self.tools.append(columns.tools)
        self.n_characters += columns.n_characters

    @property
    def is_full(self) -> bool:
        is_long = self.n_characters >= GROUP_CHARACTERS
        return is_long or len(self.tools) >= GROUP_ROWS

    def as_batch(self) -> Any:
        pa = import_module("pyarrow")
        arrays = [turns.as_array(pa) for turns in self.turns]
        tools = pa.array(self.tools, pa.string())
        return pa.RecordBatch.from_arrays([*arrays, tools], schema=self.schema)


class _Turns:
    """A column of lists of messages: their fields one by one, and where lists end."""

    def __init__(self, type: Any) -> None:
        self.type = type
        self.ends = [0]
        self.roles: list[str] = []
        self.contents: list[str | None] = []
        # What few messages have, by the number of the message.
        self.others: dict[str, dict[int, Any]] = {}

    def add(self, messages: Messages) -> None:
        for message in messages:
            if not is_plain(message):
                self._add_others(message)
            self.roles.append(message["role"])
            self.contents.append(message.get("content"))
        self.ends.append(len(self.roles))

    def _add_others(self, message: dict[str, Any]) -> None:
        for key in message.keys() - {"role", "content"}:
            self.others.setdefault(key, {})[len(self.roles)] = message[key]

    def as_array(self, pa: Any) -> Any:
        fields = list(self.type.value_type)
        values = [self._values(pa, field) for field in fields]
        structs = pa.StructArray.from_arrays(values, fields=fields)
        ends = pa.array(self.ends, pa.int32())
        return pa.ListArray.from_arrays(ends, structs, type=self.type)

    def _values(self, pa: Any, field: Any) -> Any:
        known = {"role": self.roles, "content": self.contents}
        if field.name in known:
            return pa.array(known[field.name], field.type)
        found = self.others.get(field.name)
        if not found:
            return pa.nulls(len(self.roles), field.type)
        return pa.array([found.get(n) for n in range(len(self.roles))], field.type)


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
