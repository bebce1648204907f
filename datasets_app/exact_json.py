"""JSON kept exactly: key order, whole numbers of any size, text as it was typed."""

import json
from typing import Any

import orjson


class JSONText(str):
    """A string that already is JSON, as `dumps` writes it."""

    __slots__ = ()


def dumps(value: Any) -> JSONText:
    """Compact JSON, UTF-8 unescaped. The same value always gives the same text."""
    if isinstance(value, JSONText):
        return value
    try:
        return JSONText(orjson.dumps(value).decode())
    except TypeError:  # a whole number of more than 64 bits
        return JSONText(
            json.dumps(
                value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
            )
        )


def dump_bytes(value: Any) -> bytes:
    """The same as bytes, for whoever needs these too."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return dumps(value).encode()


def loads(text: str | bytes) -> Any:
    """The value of a text that `dumps` wrote. (orjson would round big numbers.)"""
    return json.loads(text)


def pretty(value: Any) -> str:
    """JSON for a person to read and edit."""
    return json.dumps(value, ensure_ascii=False, indent=2)
