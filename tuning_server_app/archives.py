"""A folder of weights as one tar file, written straight to where it will stay."""

import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tuning_server_app.file_store import Draft

COPIED_BYTES = 1024 * 1024


class _Sink(io.RawIOBase):
    """What tarfile writes to."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft: Draft | None = draft

    def writable(self) -> bool:
        return True

    def write(self, chunk: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        if self.draft is not None:
            self.draft.write(bytes(chunk))
        return len(chunk)


class _Told:
    """A file whose every read is told."""

    def __init__(self, file: BinaryIO, tell: Callable[[], None]) -> None:
        self._file = file
        self._tell = tell

    def read(self, n_bytes: int = -1) -> bytes:
        self._tell()
        return self._file.read(n_bytes)


class Archive:
    """A tar with one folder in it; use it in a `with` block."""

    def __init__(self, draft: Draft, folder: str) -> None:
        self._folder = folder
        self._sink = _Sink(draft)
        self._tar = tarfile.open(  # noqa: SIM115  (closed in __exit__)
            fileobj=self._sink,
            mode="w|",
            format=tarfile.GNU_FORMAT,
            bufsize=COPIED_BYTES,
        )

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None:
            self._sink.draft = None  # it is thrown away: nothing more goes there
        self._tar.close()

    def add_bytes(self, name: str, content: bytes) -> None:
        self._tar.addfile(self._entry(name, len(content)), io.BytesIO(content))

    def add_file(self, path: Path, tell: Callable[[], None] = lambda: None) -> None:
        """`tell` is called all the while: it may be gigabytes."""
        with path.open("rb") as file:
            entry = self._entry(path.name, path.stat().st_size)
            self._tar.addfile(entry, _Told(file, tell))

    def _entry(self, name: str, n_bytes: int) -> tarfile.TarInfo:
        """Nothing of this machine: no user, no path, no rights."""
        entry = tarfile.TarInfo(f"{self._folder}/{name}")
        entry.size, entry.mtime, entry.mode = n_bytes, int(time.time()), 0o644
        return entry
