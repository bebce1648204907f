"""From the bytes of an upload to its rows, in flat memory."""

from collections.abc import Iterator
from typing import BinaryIO

from datasets_app.jsonl import Line, read_lines


def open_rows(
    file: BinaryIO,
    *,
    format: str,
    mapping: dict[str, str] | None = None,
    offset: int = 0,
    number: int = 0,
) -> Iterator[Line]:
    """The rows after the first `number`, which end at `offset`. Raises BadFile.

    Args:
        format: one of `kinds`.
        mapping: of a table, which column says what.
    """
    return read_lines(file, offset=offset, number=number)
