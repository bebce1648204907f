"""Ends the process when it is told to, or when the process that started it is gone."""

import os
import signal
import threading

EXIT_STOPPED = 128 + signal.SIGTERM  # 143, what a shell shows for SIGTERM
STDIN = 0


def hold() -> None:
    """Exit at once on SIGTERM and when stdin ends. Call it before any thread exists.

    A thread waits for the signal, because a handler would run only after the main
    thread is back from torch, many seconds on a slow machine. `os._exit` for the same
    reason; what is on disk is safe, as checkpoints get their name only when whole.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_exit_on_sigterm, daemon=True).start()
    threading.Thread(target=_exit_on_end_of_stdin, daemon=True).start()


def _exit_on_sigterm() -> None:
    signal.sigwait({signal.SIGTERM})
    os._exit(EXIT_STOPPED)


def _exit_on_end_of_stdin() -> None:
    while os.read(STDIN, 4096):
        pass
    os._exit(EXIT_STOPPED)
