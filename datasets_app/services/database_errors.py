"""Errors of the database and the disk that pass, once somebody does something."""

import errno
import sqlite3
from collections.abc import Iterator

POSTGRESQL_DISK_FULL = "53100"


def is_disk_full(error: BaseException) -> bool:
    return any(
        getattr(each, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        or getattr(each, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(each, "sqlstate", None) == POSTGRESQL_DISK_FULL
        for each in _chain(error)
    )


def is_locked(error: BaseException) -> bool:
    """Did another process write to the SQLite file for longer than we wait?"""
    return any(
        getattr(each, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what Django made it from."""
    while error is not None:
        yield error
        error = error.__cause__
