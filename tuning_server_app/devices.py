"""The devices that runs are given: one run on each, or one run on several at once."""

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

TOGETHER = "+"
CPU = "cpu"
UNFIT_IN_NAMES = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Device:
    """What one run works on.

    `names` are GPUs as CUDA_VISIBLE_DEVICES names them, or `cpu`; none stands for what
    the trainer finds. `locks` are open files, which the trainer inherits: the device is
    taken as long as the worker or its trainer lives, however they end.
    """

    names: tuple[str, ...] = ()
    locks: tuple[int, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What has CUDA see these devices alone."""
        if not self.names:
            return {}
        gpus = [name for name in self.names if name != CPU]
        return {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}


@contextmanager
def take_device() -> Iterator[Device | None]:
    """The first device of this machine that is free; None if all are at work."""
    device = next(filter(None, map(_take, _choices())), None)
    try:
        yield device
    finally:
        _let_go(device.locks if device else ())


def _choices() -> list[tuple[str, ...]]:
    entries: list[str] = settings.TUNING_SERVER_DEVICES
    return [tuple(entry.split(TOGETHER)) for entry in entries] or [()]


def _take(names: tuple[str, ...]) -> Device | None:
    """All of the devices or none."""
    locks: list[int] = []
    for name in dict.fromkeys(names or _visible()):
        lock = _lock(name)
        if lock is None:
            _let_go(locks)
            return None
        locks.append(lock)
    return Device(names, tuple(locks))


def _visible() -> list[str]:
    return [os.environ.get("CUDA_VISIBLE_DEVICES") or "all"]


def _lock(name: str) -> int | None:
    """The system frees it when the last process that has it open is gone."""
    label = UNFIT_IN_NAMES.sub("-", f"{socket.gethostname()}-{name}")
    folder = Path(settings.TUNING_SERVER_DIR) / "devices"
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / label, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _let_go(locks: list[int] | tuple[int, ...]) -> None:
    for lock in locks:
        os.close(lock)
