"""The site's secret key: made once, kept under var/, never a default."""

import contextlib
import os
import secrets
from pathlib import Path


def read_or_create(path: Path) -> str:
    """The key in `path`, which is written first if it is missing.

    The file appears whole (written beside, then linked into place), so of several
    processes that start at once all read the same key.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):  # another process was first
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()
