"""The order in which a run reads its examples."""

import math
from collections.abc import Callable, Iterator

import torch


class EpochBatches:
    """Numbers of examples, batch by batch: another order in each epoch, and the same
    ones for the same seed, also in a run that goes on where an earlier one stood still.

    Args:
        steps_done: how many steps the run has behind it.
    """

    def __init__(
        self,
        n_examples: int,
        batch_size: int,
        *,
        seed: int,
        steps_done: Callable[[], int],
    ) -> None:
        self._n_examples = n_examples
        self._batch_size = batch_size
        self._seed = seed
        self._steps_done = steps_done

    def __len__(self) -> int:
        return math.ceil(self._n_examples / self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """One epoch, from its first batch on: that in which the run is."""
        epoch = self._steps_done() // len(self)
        generator = torch.Generator().manual_seed(self._seed + epoch)
        order = torch.randperm(self._n_examples, generator=generator).tolist()
        for start in range(0, self._n_examples, self._batch_size):
            yield order[start : start + self._batch_size]
