"""A frozen file on its way to a provider, whole or in parts, never in memory."""

import hashlib
import io
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HASHED_BYTES = 1024 * 1024


@dataclass(frozen=True)
class OutgoingFile:
    """What is sent: `prefix` (a byte order mark, where it is wanted), then the file.

    `part_bytes`: how long a part may be, where it is sent in parts.
    """

    path: Path
    name: str
    part_bytes: int = 64 * 1024 * 1024
    prefix: bytes = b""

    @cached_property
    def n_bytes(self) -> int:
        return len(self.prefix) + self.path.stat().st_size

    @property
    def n_parts(self) -> int:
        return max(1, -(-self.n_bytes // self.part_bytes))

    def open(self) -> io.RawIOBase:
        return Slice(self, 0, self.n_bytes)

    def open_part(self, number: int) -> io.RawIOBase:
        start = number * self.part_bytes
        return Slice(self, start, min(start + self.part_bytes, self.n_bytes))

    def md5(self) -> str:
        """The checksum that the contract asks for; it guards against no enemy."""
        digest = hashlib.md5(usedforsecurity=False)
        with self.open() as whole:
            while chunk := whole.read(HASHED_BYTES):
                digest.update(chunk)
        return digest.hexdigest()


class Slice(io.RawIOBase):
    """The bytes from `start` to `end` of an outgoing file, read as they are sent."""

    def __init__(self, file: OutgoingFile, start: int, end: int) -> None:
        super().__init__()
        self._prefix = file.prefix
        self._file = file.path.open("rb", buffering=0)
        self._start, self._length, self._position = start, end - start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}
        self._position = max(0, base[whence] + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        wanted = min(len(view), max(0, self._length - self._position))
        at = self._start + self._position
        if at < len(self._prefix):
            chunk = self._prefix[at : at + wanted]
        else:
            self._file.seek(at - len(self._prefix))
            chunk = self._file.read(wanted)
        view[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()
