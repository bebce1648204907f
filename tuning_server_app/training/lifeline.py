"""What the process that started this one says: stop, pause, or nothing any more."""

import os
import signal
import threading

EXIT_STOPPED = 128 + signal.SIGTERM  # 143, what a shell shows for SIGTERM
STDIN = 0
PAUSE = b"pause\n"


def hold() -> threading.Event:
    """Exit at once on SIGTERM and when stdin ends. Call it before any thread exists.

    A thread waits for the signal, because a handler would run only after the main
    thread is back from torch, many seconds on a slow machine. `os._exit` for the same
    reason; what is on disk is safe, as folders get their name only when whole.

    Returns:
        set when stdin says `pause`: the run is to save itself and end.
    """
    pause = threading.Event()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_exit_on_sigterm, daemon=True).start()
    threading.Thread(target=_listen, args=(pause,), daemon=True).start()
    return pause


def _exit_on_sigterm() -> None:
    signal.sigwait({signal.SIGTERM})
    os._exit(EXIT_STOPPED)


def _listen(pause: threading.Event) -> None:
    while said := os.read(STDIN, 4096):
        if said == PAUSE:
            pause.set()
    os._exit(EXIT_STOPPED)
