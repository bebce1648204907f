"""The run's reports to its parent: one JSON object a line on the real stdout."""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO


class Events:
    """Writes events; each line is flushed, so that the parent sees it at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, kind: str, **fields: Any) -> None:
        line = json.dumps({"type": kind, **fields}, ensure_ascii=False, allow_nan=False)
        self._stream.write(line + "\n")
        self._stream.flush()

    def progress(self, message: str) -> None:
        self.send("progress", message=message)

    def warning(self, message: str) -> None:
        self.send("warning", message=message)


def take_stdout() -> Events:
    """Keep stdout for events alone: whatever a library prints lands on stderr.

    The file descriptor is moved, not only `sys.stdout`, because native code prints too.
    """
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Events(stream)


def no_events() -> Events:
    """For the processes of a run of many that leave the report to the first one."""
    return Events(Path(os.devnull).open("w", encoding="utf-8"))
