"""Reading JSONL from anyone: line by line, in bounded memory, never guessing.

`read_lines` cuts a file into lines; `parse_object` turns one into a JSON object or
says in a `Problem` why it is none.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

import orjson

MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_BLANK_LINES = 10_000_000  # one after the other: a minute of reading nothing
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; `problem_texts` has the words for each code.

    message_index: the message it is in, counted from 1 as providers do; None: the row.
    """

    code: str
    message_index: int | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message_index": self.message_index,
            "params": self.params,
        }


class BadLine(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem(code, params=params)


class BadFile(Exception):
    """The file as a whole cannot be read (further); what was read before holds."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem(code, params=params)


@dataclass(slots=True)
class Line:
    """One row as it stands in the file: one line that is not blank, mostly.

    `end` is how many bytes of the file are read so far; of a file of plain lines the
    offset of the next one. `problem`: why the row cannot even be cut out of the file.
    `start` is the line's own offset; None where the file is not one of plain lines.
    """

    number: int
    end: int
    data: bytes
    is_too_long: bool = False
    problem: Problem | None = None
    start: int | None = None


def read_lines(file: BinaryIO, *, offset: int = 0, number: int = 0) -> Iterator[Line]:
    """The lines after the first `number`, which end at `offset`.

    Of a line longer than MAX_LINE_BYTES only the beginning is kept; the rest is read
    past in pieces. Raises BadFile where blank lines never end.
    """
    if file.seekable():  # a stream that is not stands at its beginning
        file.seek(offset)
    n_blank = 0
    while data := file.readline(MAX_LINE_BYTES + 2):
        number += 1
        start, offset = offset, offset + len(data)
        is_too_long = len(data) > MAX_LINE_BYTES and _is_too_long(data)
        if is_too_long and not data.endswith(b"\n"):
            offset += _skip_line(file)
        if number == 1:
            data = data.removeprefix(BOM)
        if data := data.strip(b" \t\r\n"):
            n_blank = 0
            yield Line(number, offset, data, is_too_long, start=start)
        elif (n_blank := n_blank + 1) > MAX_BLANK_LINES:
            raise BadFile("blank_lines", limit=MAX_BLANK_LINES, number=number)


def _is_too_long(data: bytes) -> bool:
    return len(data.rstrip(b"\r\n")) > MAX_LINE_BYTES


def _skip_line(file: BinaryIO) -> int:
    """Read past the rest of a line; returns how many bytes that were."""
    n_bytes = 0
    while piece := file.readline(1024 * 1024):
        n_bytes += len(piece)
        if piece.endswith(b"\n"):
            break
    return n_bytes


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object that a line holds. Raises BadLine."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise BadLine("not_object", found=json_type(value))
    return value


def parse_json(data: bytes) -> Any:
    """The value of a JSON text, exactly. Raises BadLine where something would be lost.

    orjson is quick and strict, but of a key that comes twice it drops one, and it
    rounds long numbers: where either is possible the text is read again with care.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise _why_not_json(data, exc) from exc
    n_keys = _n_keys_if_plain(value)
    if not n_keys and _is_deep(value):
        raise BadLine("too_deep", limit=MAX_DEPTH)
    if _may_have_lost_something(data, value, n_keys):
        return json.loads(data, object_pairs_hook=_once, parse_float=_exact_float)
    return value


def _may_have_lost_something(data: bytes, value: Any, n_keys: int) -> bool:
    if not n_keys:
        if _has_float(value):  # orjson makes floats of whole numbers past 64 bits, too
            return True
        n_keys = _n_keys(value)
    return data.count(b'":') + data.count(b'" :') > n_keys


def _why_not_json(data: bytes, exc: orjson.JSONDecodeError) -> BadLine:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return BadLine("not_utf8", byte=error.start + 1)
    if "depth" in exc.msg:
        return BadLine("too_deep", limit=MAX_DEPTH)
    return BadLine("not_json", detail=exc.msg, column=exc.colno)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _n_keys_if_plain(value: Any) -> int:
    """How many keys a row with nothing but plain messages has; 0 for any other.

    Nearly every row is plain, and this is several times quicker than `_n_keys`.
    """
    messages = value.get("messages") if type(value) is dict else None
    if type(messages) is not list or len(value) != 1:
        return 0
    n_keys = 1
    for message in messages:
        if type(message) is not dict:
            return 0
        for each in message.values():
            if type(each) is not str:
                return 0
        n_keys += len(message)
    return n_keys


def _n_keys(value: Any) -> int:
    """How many keys a value has at all depths."""
    n_own = len(value) if isinstance(value, dict) else 0
    return n_own + sum(_n_keys(child) for child in _children(value))


def _has_float(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return any(_has_float(child) for child in _children(value))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()  # a line has room for a million keys: look at each once
        for key, _value in pairs:
            if key in seen:
                raise BadLine("duplicate_key", key=key[:100])
            seen.add(key)
    return found


def _exact_float(text: str) -> float:
    number = float(text)
    try:
        is_exact = Decimal(repr(number)) == Decimal(text)
    except InvalidOperation:  # an exponent past everything
        is_exact = False
    if not is_exact:
        raise BadLine("number_not_exact", number=text[:100])
    return number


def json_type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean"}
    return "null" if value is None else names.get(type(value), "number")
