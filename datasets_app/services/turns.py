"""Two threads that share one interpreter, one of which works with the database."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0005


@contextmanager
def quick_turns() -> Iterator[None]:
    """While the block runs, whoever comes back from the database goes on at once.

    By Python's usual five milliseconds a turn, the thread that stores rows would wait
    longer for the interpreter than the database takes for them. And the collector of
    garbage leaves alone what is there already: that are the many objects of the site.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(usual)
