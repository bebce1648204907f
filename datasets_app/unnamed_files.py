"""Files without a name, of which a process that dies leaves nothing behind."""

import os
import tempfile
from pathlib import Path
from typing import IO


def unnamed_file(folder: Path) -> IO[bytes]:
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except (AttributeError, OSError):  # not every system and disk knows such files
        return tempfile.TemporaryFile(dir=folder)
    return os.fdopen(number, "w+b")


def give_name(file: IO[bytes], path: Path) -> None:
    """A name for the file, without copying it.

    Raises OSError where that cannot be: the disk is another one, or the name is taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number = file.fileno()
    # `src_dir_fd` is not used, but with it Python asks to follow the link to the file.
    os.link(f"/proc/self/fd/{number}", path, src_dir_fd=number, follow_symlinks=True)
