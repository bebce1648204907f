"""How much memory the pages of a Parquet file will take, as each says itself.

The footer may say anything: a reader takes memory for a page as the page's own header
tells, and refuses one that holds anything else. So the headers are read before a page
is, which costs a few bytes each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

HEADER_BYTES = 4 * 1024  # mostly far less; statistics in it may hold long values
MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_PAGES = 1_000_000
MAX_NESTING = 16
SLACK_BYTES = 100  # which readers allow at the end of a column, for old writers

# Of the page's header, and of the headers within it, in Thrift's compact protocol.
UNPACKED, PACKED = 2, 3
DATA, DATA_2 = 5, 8
N_VALUES = 1
ENCODINGS = {DATA: 2, DATA_2: 4}  # the field that tells it
DELTA_BYTE_ARRAY = 7  # a value says only in what it differs from the one before

Struct = dict[int, Any]


class BrokenPages(ValueError):
    """It is no Parquet file, whatever its footer says."""


@dataclass(frozen=True, slots=True)
class Page:
    """`n_bytes` is what it unpacks to; the values of a delta may be far more."""

    n_values: int
    n_bytes: int
    is_delta: bool


def pages_of(file: BinaryIO, column: Any) -> Iterator[Page]:
    """The pages of a column chunk, as pyarrow reads them. Raises BrokenPages."""
    at = column.data_page_offset
    first = column.dictionary_page_offset if column.has_dictionary_page else None
    at = min(at, first or at)
    end = at + column.total_compressed_size
    n_left = column.num_values
    for _page in range(MAX_PAGES):
        if at >= end or n_left <= 0:
            return
        header, n_bytes = _header(file, at, end + SLACK_BYTES)
        page = _page_of(header)
        n_left -= page.n_values
        at += n_bytes + _natural(header, PACKED)
        yield page
    raise BrokenPages("too many pages")


def _page_of(header: Struct) -> Page:
    n_bytes = _natural(header, UNPACKED)
    for kind, encoding in ENCODINGS.items():
        if isinstance(own := header.get(kind), dict):
            is_delta = own.get(encoding) == DELTA_BYTE_ARRAY
            return Page(_natural(own, N_VALUES), n_bytes, is_delta)
    return Page(0, n_bytes, is_delta=False)  # a dictionary


def _natural(struct: Struct, field: int) -> int:
    value = struct.get(field)
    if type(value) is not int or value < 0:
        raise BrokenPages("a page without a size")
    return value


def _header(file: BinaryIO, at: int, end: int) -> tuple[Struct, int]:
    """The header that begins there, and how long it is."""
    size = HEADER_BYTES
    while True:
        file.seek(at)
        data = file.read(min(size, max(0, end - at)))
        try:
            reader = _Compact(data)
            return reader.struct(), reader.at
        except IndexError:
            if len(data) < size or size >= MAX_HEADER_BYTES:
                raise BrokenPages("a page without an end") from None
        size *= 8


class _Compact:
    """Reads what Thrift's compact protocol wrote. Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> Struct:
        """Numbers and structs by their fields; of other values nothing is kept."""
        if depth > MAX_NESTING:
            raise BrokenPages("structs within structs without end")
        fields: Struct = {}
        field = 0
        while (head := self._byte()) != 0:
            delta, kind = head >> 4, head & 15
            field = field + delta if delta else self._number()
            fields[field] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):  # one byte; a truth within a list, too
            return self._byte()
        if kind in (4, 5, 6):
            return self._number()
        if kind == 12:
            return self.struct(depth + 1)
        return self._pass(kind, depth)

    def _pass(self, kind: int, depth: int) -> None:
        if kind == 7:
            self._skip(8)
        elif kind == 8:
            self._skip(self._length())
        elif kind in (9, 10):
            head = self._byte()
            n = head >> 4 if head >> 4 < 15 else self._length()
            for _each in range(n):
                self._value(head & 15, depth + 1)
        elif kind == 11:
            self._pass_map(depth)
        else:
            raise BrokenPages("a value of no kind")

    def _pass_map(self, depth: int) -> None:
        if n := self._length():
            kinds = self._byte()
            for _each in range(n):
                self._value(kinds >> 4, depth + 1)
                self._value(kinds & 15, depth + 1)

    def _byte(self) -> int:
        byte = self.data[self.at]
        self.at += 1
        return byte

    def _skip(self, n: int) -> None:
        self.at += n
        if self.at > len(self.data):
            raise IndexError

    def _length(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise BrokenPages("a number without end")

    def _number(self) -> int:
        value = self._length()
        return (value >> 1) ^ -(value & 1)
