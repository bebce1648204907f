"""How much is computed at once, and what happens when memory runs out."""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from tuning_server_app.training.batches import Example, passes
from tuning_server_app.training.failures import OUT_OF_MEMORY, RunFailed
from tuning_server_app.training.memory import give_back_freed
from tuning_server_app.training.workers import Workers

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Sum = TypeVar("Sum")

# SmolLM2-135M takes about 2 MB a token in float32 on its way forward and back.
TOKENS_AT_ONCE = {"cpu": 1024, "cuda": 16_384}


def usual_tokens(device: torch.device) -> int:
    """How many tokens all workers together have in memory, a longer row excepted."""
    return TOKENS_AT_ONCE.get(device.type, TOKENS_AT_ONCE["cpu"])


class MemoryBudget:
    """Cuts a step into passes, into smaller ones once memory ran out.

    What a step computes does not depend on how it is cut: sums over all its examples.
    So a smaller pass is a batch of the same size, with its gradients accumulated.
    """

    def __init__(
        self,
        workers: Workers,
        tokens_at_once: int,
        report: Callable[[str], None],
    ) -> None:
        self.tokens_at_once = tokens_at_once
        self._workers = workers
        self._n_workers = workers.count
        self._report = report

    def total(
        self,
        examples: Sequence[Example],
        work: Callable[[list[Example]], Result],
        begin: Callable[[], Sum],
        add: Callable[[Sum, Result], Sum],
    ) -> Sum:
        """All results added up, always in the same order.

        Raises:
            RunFailed: not even one example alone fits in memory.
        """
        while True:
            try:
                return self._total(examples, work, begin(), add)
            except Exception as error:  # each device says it with a class of its own
                if not is_out_of_memory(error):
                    raise
                logger.warning("Out of memory: %s", error)
            # Only out here has the error let go of the tensors it was raised among.
            _free()
            self._shrink([example.n_tokens for example in examples])

    def _total(
        self,
        examples: Sequence[Example],
        work: Callable[[list[Example]], Result],
        so_far: Sum,
        add: Callable[[Sum, Result], Sum],
    ) -> Sum:
        groups = passes(examples, self._n_workers, self.tokens_at_once)
        for result in self._workers.map(work, groups, self._n_workers):
            so_far = add(so_far, result)
        return so_far

    def _shrink(self, lengths: list[int]) -> None:
        longest = max(lengths)
        held = min(self.tokens_at_once, sum(lengths))
        if held > longest:
            self.tokens_at_once = max(longest, held // 2)
        elif self._n_workers > 1:
            self._n_workers = 1
        else:
            raise RunFailed(
                OUT_OF_MEMORY,
                f"The machine has too little free memory for an example of {longest}"
                " tokens, even by itself. Shorten the longest examples, choose a"
                " smaller base model, or stop other programs, and launch again.",
            )
        self._report(
            f"Memory ran out. The run goes on with at most {self.tokens_at_once} tokens"
            " at once, and adds up the gradients of each step: the batch size stays"
            " the same"
        )


def is_out_of_memory(error: Exception) -> bool:
    # torch's CPU allocator has no exception class of its own.
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "can't allocate memory" in str(error)


def _free() -> None:
    gc.collect()
    give_back_freed()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
