"""Ends the process when it is told to, or when the process that started it is gone."""

import os
import signal
import sys
import threading
from types import FrameType

EXIT_STOPPED = 128 + signal.SIGTERM  # 143, what a shell shows for SIGTERM


def hold() -> None:
    """Exit at once on SIGTERM and when stdin ends.

    `os._exit` because an orderly exit would first wait for torch; what is on disk is
    safe, as checkpoints get their name only when whole.
    """
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_watch_stdin, name="stdin", daemon=True).start()


def _stop(number: int, frame: FrameType | None) -> None:
    os._exit(EXIT_STOPPED)


def _watch_stdin() -> None:
    # Raw reads: a buffered reader's lock would be held at interpreter exit.
    descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
    while os.read(descriptor, 4096):
        pass
    os._exit(EXIT_STOPPED)
