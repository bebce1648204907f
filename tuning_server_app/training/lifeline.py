"""What the process that started this one says: stop, pause, or nothing any more."""

import ctypes
import os
import signal
import sys
import threading

EXIT_STOPPED = 128 + signal.SIGTERM  # 143, what a shell shows for SIGTERM
STDIN = 0
PAUSE = b"pause\n"
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


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


def die_with_launcher() -> None:
    """Have the system kill this process when the one that launched it is gone.

    `accelerate launch` gives each of its processes a session of its own: a signal to
    the launcher's group does not come here, and who hangs does not hear stdin end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_on_sigterm() -> None:
    signal.sigwait({signal.SIGTERM})
    os._exit(EXIT_STOPPED)


def _listen(pause: threading.Event) -> None:
    while said := os.read(STDIN, 4096):
        if said == PAUSE:
            pause.set()
    os._exit(EXIT_STOPPED)
