"""Freed memory back to the system, while a run goes on."""

import ctypes
import sys

# glibc keeps what is freed for later use, in pieces that later tensors, of other
# lengths, do not fit: a run of 112 steps over short rows grew to 4.5 GB, now 3.2 GB.
_libc = ctypes.CDLL("libc.so.6") if sys.platform == "linux" else None


def give_back_freed() -> None:
    """Cheap enough for every few steps; does nothing where the C library cannot."""
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
