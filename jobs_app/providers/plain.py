"""Provider's data made fit to be stored and shown: short, finite, printable."""

import math
from typing import Any

MAX_DEPTH = 6
MAX_ITEMS = 200


def plain_text(value: Any, max_length: int) -> str:
    """Text without what a database refuses (NUL, lone surrogates), cut to a length."""
    text = "" if value is None else str(value)
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def plain_json(value: Any, depth: int = 0) -> Any:
    """JSON that PostgreSQL takes too: no NaN, no infinity, bounded in every way."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {
            plain_text(key, 100): plain_json(each, depth + 1)
            for key, each in list(value.items())[:MAX_ITEMS]
        }
    if depth < MAX_DEPTH and isinstance(value, list):
        return [plain_json(each, depth + 1) for each in value[:MAX_ITEMS]]
    return plain_text(value, 1000)
