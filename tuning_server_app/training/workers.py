"""Each core works on rows of its own.

The usual way, all cores together on one operation after another, makes each wait for
the slowest thousands of times a step; on cores shared with other programs that costs
more than the work. Here they wait for each other once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Work = TypeVar("Work")
Result = TypeVar("Result")

# Asked before any run takes the threads for itself.
CORES = torch.get_num_threads()


class Workers:
    """As many threads as the CPU has cores; one for a GPU, which is parallel itself."""

    def __init__(self, device: torch.device) -> None:
        # On a CPU this hands float32 matrix products to oneDNN, which uses all that the
        # CPU has: 220 GFLOP/s a core where the default (MKL, held to AVX2 on AMD) did
        # 100. Products inside may be bfloat16 where hardware does that; sums are not.
        torch.set_float32_matmul_precision("medium")
        self.count = 1 if device.type == "cuda" else CORES
        if self.count > 1:
            torch.set_num_threads(1)  # holds for threads made from now on
        self._pool = ThreadPoolExecutor(self.count)

    def map(
        self,
        function: Callable[[Work], Result],
        works: Sequence[Work],
        at_once: int,
    ) -> Iterator[Result]:
        """Results in the order of the works, whichever was done first.

        One round of `at_once` works at a time, because each result holds memory until
        taken. An error is raised when its round is over and nothing is in memory.
        """
        for start in range(0, len(works), at_once):
            round_ = [
                self._pool.submit(function, work)
                for work in works[start : start + at_once]
            ]
            wait(round_)
            for done in round_:
                yield done.result()
