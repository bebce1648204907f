"""Folders that are whole or not there, whatever dies while they are written."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuning_server_app.training.failures import DISK_PROBLEM, RunFailed


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when it is filled and on the disk.

    Raises:
        RunFailed: it could not be written; what was there before is untouched.
    """
    unfinished = folder.with_name(f".{folder.name}-unfinished")
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        yield unfinished
        _sync(unfinished)
        unfinished.replace(folder)
        _sync_entry(folder.parent)
    except Exception as error:  # torch and safetensors have errors of their own
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RunFailed(DISK_PROBLEM, _in_words(error)) from error


def _sync(folder: Path) -> None:
    """Past the machine's memory: a name must not outlive a crash that its content
    does not."""
    for path in folder.iterdir():
        _sync_entry(path)
    _sync_entry(folder)


def _sync_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_words(error: Exception) -> str:
    # torch and safetensors say where in their own code writing failed, not why.
    known = error.strerror if isinstance(error, OSError) else None
    reason = known or f"writing failed, {type(error).__name__}"
    return (
        f"The run's weights could not be saved ({reason}). What was saved before is"
        " whole. The server's operator must make room on its disk; then start a new"
        " job, which may begin from the last checkpoint."
    )
