"""Signs that turn the direction of writing, shown by their codes so that they turn
nothing.

A right-to-left override in a row, a name or a provider's words would write all that
stands behind it in its block backwards, our own sentences and links too. And whoever
reviews a row should see that it is there. Fields of forms keep it as it is.
"""

import re

# Embeddings, overrides and isolations; what marks a place only (U+200E, U+200F) stays.
_SIGNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SIGNS_IN_UTF8 = re.compile(b"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
# Tags with their attributes, and what somebody edits or a script reads.
_EDITED = r"<(?:textarea|script)\b.*?</(?:textarea|script)>"
_NO_TEXT = re.compile(f"({_EDITED}|<[^>]*>)", re.S)


def has_signs(utf8: bytes) -> bool:
    return _SIGNS_IN_UTF8.search(utf8) is not None


def in_page(html: str) -> str:
    """The page, whose text shows the signs by their codes."""
    parts = _NO_TEXT.split(html)
    return "".join(by_code(p) if n % 2 == 0 else p for n, p in enumerate(parts))


def by_code(text: str) -> str:
    return _SIGNS.sub(lambda sign: f"[U+{ord(sign[0]):04X}]", text)
