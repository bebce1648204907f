"""The tokens of a file's rows, on the disk: a training file may be far larger than
memory, and each step reads a few rows of it."""

import array
import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from tuning_server_app.training.failures import DISK_PROBLEM, RunFailed

ID_BYTES = array.array("i").itemsize


class TokenFile:
    """Has no name in the folder: it is gone with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._end = 0

    def add(self, ids: list[int], is_scored: list[bool]) -> "StoredRow":
        """Keep a row.

        Raises:
            RunFailed: the disk is full or broken.
        """
        row = StoredRow(self, self._end, len(ids))
        try:
            self._end += self._file.write(array.array("i", ids).tobytes())
            self._end += self._file.write(bytes(is_scored))
        except OSError as error:
            raise _not_kept(error) from error
        return row

    def finish(self) -> None:
        """All rows are added: from here on they can be read. Raises RunFailed."""
        try:
            self._file.flush()
        except OSError as error:
            raise _not_kept(error) from error

    def read(self, offset: int, n_bytes: int) -> bytes:
        return os.pread(self._file.fileno(), n_bytes, offset)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """Where a row lies; the tokens themselves are read when they are asked for."""

    file: TokenFile
    offset: int
    n_tokens: int

    @property
    def ids(self) -> list[int]:
        ids = array.array("i")
        ids.frombytes(self.file.read(self.offset, ID_BYTES * self.n_tokens))
        return ids.tolist()

    @property
    def is_scored(self) -> list[bool]:
        start = self.offset + ID_BYTES * self.n_tokens
        return list(map(bool, self.file.read(start, self.n_tokens)))

    @property
    def n_trained(self) -> int:
        """What counts as trained tokens, once an epoch."""
        return self.n_tokens


def _not_kept(error: OSError) -> RunFailed:
    return RunFailed(
        DISK_PROBLEM,
        f"The tokens of the training file could not be stored ({error.strerror}). The"
        " server's operator must make room on its disk; then start the job again as a"
        " new one.",
    )
