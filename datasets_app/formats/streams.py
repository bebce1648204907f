"""From stored bytes to text: what is packed, what is UTF-16, and what is no text."""

import codecs
import gzip
import io
import zlib
from typing import BinaryIO

from datasets_app.jsonl import BadFile

HEAD_BYTES = 1024 * 1024
# A file of chats shrinks to a tenth, one that repeats itself to a hundredth; past that
# somebody packed nothing to fill a disk with. Small files may do as they like.
MAX_RATIO = 500
RATIO_COUNTS_FROM = 256 * 1024**2

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
NO_TEXT = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0": "Excel",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"\x7fELF": "ELF",
    b"SQLite format 3": "SQLite",
    GZIP: "gzip",
    PARQUET: "Parquet",
}
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MANY_CONTROL_BYTES = 0.1
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


def open_text(file: BinaryIO) -> tuple[BinaryIO, bytes]:
    """A stream of the file's text from its beginning, and what it begins with.

    It is the file itself where nothing has to be done to it. Raises BadFile, while
    reading, too.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    stream = file
    if head.startswith(GZIP):
        stream, head = _behind(_Gunzip(file))
    if head.startswith(UTF_16):
        stream, head = _behind(_Utf8(stream))
    _refuse_what_is_no_text(head)
    return stream, head


def _behind(raw: io.RawIOBase) -> tuple[BinaryIO, bytes]:
    stream = io.BufferedReader(raw, HEAD_BYTES)
    return stream, stream.peek()


def _refuse_what_is_no_text(head: bytes) -> None:
    for magic, name in NO_TEXT.items():
        if head.startswith(magic):
            raise BadFile("no_text_file", found=name)
    start = head[:4096]
    n_control = len(start) - len(start.translate(None, _CONTROL_BYTES))
    if len(start) >= 512 and n_control > MANY_CONTROL_BYTES * len(start):
        raise BadFile("binary_file")


class _Gunzip(io.RawIOBase):
    """What a gzip file holds, never more of it at once than was asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._gzip = gzip.GzipFile(fileobj=file)
        self._n_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._gzip.read(len(buffer))
        except (EOFError, OSError, zlib.error) as exc:
            raise BadFile("gzip_broken", detail=str(exc)[:200]) from exc
        self._n_bytes += len(data)
        if self._n_bytes > max(RATIO_COUNTS_FROM, MAX_RATIO * self._file.tell()):
            raise BadFile("gzip_bomb", ratio=MAX_RATIO)
        buffer[: len(data)] = data
        return len(data)


class _Utf8(io.RawIOBase):
    """UTF-16 as UTF-8. What is broken stays so, and its row says it is not UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            data = self._stream.read(len(buffer))
            self._ready = self._decode(data)
            if not data:
                break
        n_bytes = min(len(buffer), len(self._ready))
        buffer[:n_bytes] = self._ready[:n_bytes]
        self._ready = self._ready[n_bytes:]
        return n_bytes

    def _decode(self, data: bytes) -> bytes:
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:  # half a character at the end
            self._decoder.reset()
            return b"\xff"
        return text.encode(errors="surrogatepass")
