"""What killed processes leave on the disk, and logs that nobody reads any more."""

import contextlib
import shutil
import time
from pathlib import Path

from django.conf import settings

DAY = 24 * 3600
# Below TUNING_SERVER_DIR, and for how many seconds nobody wrote there. What is being
# made has another name than what is whole.
LEFTOVERS = {
    "files/*.part": DAY,  # half a file
    "exports/*-*": DAY,  # half a merged model
    "exports/*.log": 7 * DAY,  # of merging
    "hub/.*-*": DAY,  # half a download
    "base/.*-*": DAY,  # half a conversion
}


def remove_leftovers() -> None:
    root = Path(settings.TUNING_SERVER_DIR)
    for pattern, seconds in LEFTOVERS.items():
        for path in root.glob(pattern):
            with contextlib.suppress(OSError):  # it has just been finished or removed
                if _written_at(path) < time.time() - seconds:
                    _remove(path)


def _written_at(path: Path) -> float:
    return max(each.stat().st_mtime for each in (path, *path.rglob("*")))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
