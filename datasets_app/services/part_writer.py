"""One part of a version on its way to a file."""

import hashlib
from array import array
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.conf import settings

from datasets_app.models import Split
from datasets_app.unnamed_files import unnamed_file

DIGEST_BYTES = 32
PIECE_BYTES = 2 * 1024 * 1024  # written and hashed at once


class PartWriter:
    """The bytes of one split, their hash, and which row is where.

    The file has no name, so that a process that dies leaves none behind. A thread
    writes and hashes one piece of it, which needs no Python, while the next is read.
    """

    def __init__(self, split: Split) -> None:
        self.split = split
        self.n_rows = self.n_tokens = self.n_bytes = 0
        self.sha256 = hashlib.sha256()
        # A million rows fit in 50 MB so; as objects they would take ten times that.
        self.example_ids = array("q")
        self.offsets = array("q")
        self.digests = bytearray()
        self._lines: list[bytes] = []
        self._n_begun = 0  # bytes that the thread has been given
        self._written: Future[None] | None = None

    def __enter__(self) -> "PartWriter":
        self.file = unnamed_file(settings.FILE_UPLOAD_TEMP_DIR)
        self._writer = ThreadPoolExecutor(1)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._writer.shutdown()
        self.file.close()

    def add(self, example_id: int, digest: str, n_tokens: int, line: bytes) -> None:
        """Raises OSError, perhaps of a line before."""
        self._lines.append(line)
        self.example_ids.append(example_id)
        self.offsets.append(self.n_bytes)
        self.digests += bytes.fromhex(digest)
        self.n_rows += 1
        self.n_tokens += n_tokens
        self.n_bytes += len(line) + 1
        if self.n_bytes - self._n_begun >= PIECE_BYTES:
            self._begin_piece()

    def finish(self) -> None:
        """Behind the last line. Raises OSError."""
        if self._lines:
            self._begin_piece()
        self._wait()

    def _begin_piece(self) -> None:
        lines, self._lines = self._lines, []
        self._n_begun = self.n_bytes
        self._wait()
        self._written = self._writer.submit(self._write, lines)

    def _wait(self) -> None:
        if self._written is not None:
            self._written.result()

    def _write(self, lines: list[bytes]) -> None:
        data = b"\n".join((*lines, b""))
        self.sha256.update(data)
        self.file.write(data)
        self.file.flush()

    def manifest(self) -> Iterator[tuple[Any, ...]]:
        """(split, line number, offset, content hash, example id) of every row."""
        for n, (offset, example_id) in enumerate(
            zip(self.offsets, self.example_ids, strict=True)
        ):
            digest = self.digests[n * DIGEST_BYTES : (n + 1) * DIGEST_BYTES].hex()
            yield self.split.value, n + 1, offset, digest, example_id
