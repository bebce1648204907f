"""Files on disk: random names, hashed while they are written, whole or not at all."""

import hashlib
import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

PIECE_BYTES = 1024 * 1024
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def folder() -> Path:
    path = Path(settings.TUNING_SERVER_DIR) / "files"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(blob: str) -> Path:
    return folder() / blob


def remove(blob: str) -> None:
    """Delete the bytes. A failure leaves an orphan and a line in the log, no more."""
    try:
        path_of(blob).unlink(missing_ok=True)
    except OSError:
        logger.exception("The file %s could not be deleted.", path_of(blob))


class Draft:
    """A file being written. It gets its name only when it is whole."""

    def __init__(self) -> None:
        self.blob = uuid.uuid4().hex
        self.n_bytes = 0
        self._path = folder() / f"{self.blob}.part"
        self._file = os.fdopen(os.open(self._path, NEW, 0o600), "wb")
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append; on a full disk nothing stays behind.

        Raises:
            OSError
        """
        try:
            self._file.write(chunk)
        except OSError:
            self.discard()
            raise
        self._hash.update(chunk)
        self.n_bytes += len(chunk)

    def append(self, blob: str) -> Iterator[bytes]:
        """Copy a stored file to the end, and yield its pieces on the way.

        Raises:
            OSError
        """
        with path_of(blob).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self.write(piece)
                yield piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def keep(self) -> None:
        """Give the file its name, once its bytes are on the disk.

        Raises:
            OSError
        """
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.rename(path_of(self.blob))
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:  # what was still in the buffer finds no room either
            logger.warning("Closing %s failed.", self._path)
