"""JSON as text, and the character NUL, which no database text can hold."""

import re

# A backslash before the first one would make it plain text.
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def holds_nul(raw: bytes) -> bool:
    return b"\\u0000" in raw and NUL.search(raw) is not None


def without_nul(raw: bytes) -> bytes:
    """With U+FFFD in its place."""
    return NUL.sub(rb"\1\\ufffd", raw)
