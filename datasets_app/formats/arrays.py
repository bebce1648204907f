"""A JSON array, element by element, in flat memory and to the byte.

The elements are only cut out here; whoever parses one finds every fault in it.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from datasets_app.jsonl import MAX_LINE_BYTES, BadFile, Line

PIECE_BYTES = 256 * 1024
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[[ \t\r\n]*\{")
# What is passed over in one step: the rest of a string, and whatever else is neither a
# bracket nor, between elements, a comma. They never go back, so they take linear time.
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
BLANK = b" \t\r\n"


def is_array(head: bytes) -> bool:
    """Is the file an array of objects? (A line of its own may be an array, too.)"""
    return _BEGINNING.match(head) is not None


def read_elements(
    stream: BinaryIO, position: Callable[[], int], *, number: int = 0
) -> Iterator[Line]:
    """The elements after the first `number`. Raises BadFile."""
    for n, (data, is_too_long) in enumerate(_Cutter(stream).elements(), start=1):
        if n > number:
            yield Line(n, position(), data, is_too_long)


class _Cutter:
    """Knows, between two pieces of the file, what it is in the middle of."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.depth = 0
        self.in_string = self.is_escaped = self.is_too_long = False
        self.element = bytearray()

    def elements(self) -> Iterator[tuple[bytes, bool]]:
        while piece := self.stream.read(PIECE_BYTES):
            start = 0
            for end, mark in self._ends(piece):
                if mark == b"[":
                    start = end
                    continue
                self._keep(piece[start : end - 1])
                start = end
                data, is_too_long = self._take()
                if data or mark == b",":
                    yield data, is_too_long
                if mark == b"]":
                    self._refuse_more(piece[end:])
                    return
            if self.depth:
                self._keep(piece[start:])
        raise BadFile("array_not_closed")

    def _ends(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """Where the array begins, and where an element or the array ends."""
        at = 0
        while at < len(piece):
            if self.is_escaped:
                self.is_escaped = False
                at += 1
                continue
            at = self._dull().match(piece, at).end()  # type: ignore[union-attr]
            mark = piece[at : at + 1]
            at += 1
            if mark and (end := self._pass(mark)):
                yield at, end

    def _dull(self) -> re.Pattern[bytes]:
        if self.in_string:
            return _IN_STRING
        return _BETWEEN if self.depth == 1 else _INSIDE

    def _pass(self, mark: bytes) -> bytes | None:
        if mark == b"\\":
            self.is_escaped = True
        elif mark == b'"':
            self.in_string = not self.in_string
        elif mark in b"[{":
            self.depth += 1
            return b"[" if self.depth == 1 else None
        elif mark in b"]}":
            self.depth -= 1
            return b"]" if self.depth == 0 else None
        elif self.depth == 1:
            return mark
        return None

    def _keep(self, data: bytes) -> None:
        room = MAX_LINE_BYTES - len(self.element)
        self.is_too_long |= len(data) > room
        self.element += data[:room]

    def _take(self) -> tuple[bytes, bool]:
        taken = bytes(self.element).strip(BLANK), self.is_too_long
        self.element.clear()
        self.is_too_long = False
        return taken

    def _refuse_more(self, piece: bytes) -> None:
        while piece:
            if piece.strip(BLANK):
                raise BadFile("more_after_array")
            piece = self.stream.read(PIECE_BYTES)
