"""Whether the worker at a long task is to stop, or has lost its parent."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class WorkerEnding(Exception):
    """The worker is told to stop, or has died: give back what is being done."""


class WorkerLife:
    """Watches for the end of this process while a `with` block lasts.

    Celery would end a pool process at SIGTERM without a word; here the signal is only
    noted, so that the job can be given back first. A pool process whose parent was
    killed hears nothing at all: it finds itself adopted.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._is_told_to_stop = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if _can_handle_signals():
            self._previous = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    @property
    def is_ending(self) -> bool:
        return self._is_told_to_stop or os.getppid() != self._parent

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_stop = True


def _can_handle_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
