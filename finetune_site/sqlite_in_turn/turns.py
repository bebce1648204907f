"""A file beside the database whose lock says whose turn it is to wait for SQLite.

SQLite keeps no queue: whoever finds its one write lock taken looks again later, ten
times a second in the end. Work whose transactions follow one another at once is seldom
between two of them just then, however short each is, so a person beside an import
waited many seconds. Here one process at a time looks. Whoever has just committed and
wants to write again is behind those that wait, because one of them holds this lock.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock

LOOK_SECONDS = 0.004
MOST_SECONDS = 30.0  # after that SQLite alone decides: whoever holds the turn hangs


@contextmanager
def turn_to_wait(path: str, *, most_seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Until the block ends nobody else's turn comes. The lock dies with its process."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + most_seconds
        while not _is_ours(file) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        yield
    finally:
        os.close(file)


def _is_ours(file: int) -> bool:
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
