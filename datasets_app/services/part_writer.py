"""One part of a version on its way to a file."""

import hashlib
import tempfile
from array import array
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from datasets_app.models import Split

DIGEST_BYTES = 32


class PartWriter:
    """The bytes of one split, their hash, and which row is where.

    The file has no name, so that a process that dies leaves none behind.
    """

    def __init__(self, split: Split) -> None:
        self.split = split
        self.n_rows = self.n_tokens = self.n_bytes = 0
        self.sha256 = hashlib.sha256()
        # A million rows fit in 50 MB so; as objects they would take ten times that.
        self.example_ids = array("q")
        self.offsets = array("q")
        self.digests = bytearray()

    def __enter__(self) -> "PartWriter":
        self.file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.file.close()

    def add(self, example_id: int, digest: str, n_tokens: int, line: str) -> None:
        data = line.encode() + b"\n"
        self.file.write(data)
        self.sha256.update(data)
        self.example_ids.append(example_id)
        self.offsets.append(self.n_bytes)
        self.digests += bytes.fromhex(digest)
        self.n_rows += 1
        self.n_tokens += n_tokens
        self.n_bytes += len(data)

    def manifest(self) -> Iterator[tuple[Any, ...]]:
        """(split, line number, offset, content hash, example id) of every row."""
        for n, (offset, example_id) in enumerate(
            zip(self.offsets, self.example_ids, strict=True)
        ):
            digest = self.digests[n * DIGEST_BYTES : (n + 1) * DIGEST_BYTES].hex()
            yield self.split.value, n + 1, offset, digest, example_id
