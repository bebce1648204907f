"""Rows laid end to end for one forward pass."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from tuning_server_app.training.rows import Row
from tuning_server_app.training.side_by_side import SideBySide, side_by_side


@dataclass(frozen=True)
class PackedRows:
    """Several rows as one sequence of T tokens, without padding.

    `ids` and `positions` are (1, T); positions start at 0 in every row. `scored_from`
    (N,) are the places whose next token is scored, `targets` (N,) those tokens; of
    each row there are as many as `n_scored` says. `groups` are how a GPU's attention
    takes the rows; a CPU takes one after the other.
    """

    ids: Tensor
    positions: Tensor
    row_lengths: list[int]
    scored_from: Tensor
    targets: Tensor
    n_scored: list[int]
    groups: SideBySide | None = None

    def to(self, device: torch.device) -> "PackedRows":
        return PackedRows(
            self.ids.to(device),
            self.positions.to(device),
            self.row_lengths,
            self.scored_from.to(device),
            self.targets.to(device),
            self.n_scored,
            None if device.type == "cpu" else side_by_side(self.row_lengths, device),
        )


def pack(rows: Sequence[Row]) -> PackedRows:
    """Lay the rows end to end."""
    ids = torch.tensor([token for row in rows for token in row.ids])
    targets = [[False, *row.is_scored[1:]] for row in rows]
    places = torch.tensor(list(chain.from_iterable(targets))).nonzero().squeeze(1)
    lengths = [row.n_tokens for row in rows]
    return PackedRows(
        ids=ids[None],
        positions=torch.cat([torch.arange(length) for length in lengths])[None],
        row_lengths=lengths,
        scored_from=places - 1,
        targets=ids[places],
        n_scored=[sum(each) for each in targets],
    )


class Sized(Protocol):
    """An example, which takes memory by its tokens."""

    @property
    def n_tokens(self) -> int: ...


Example = TypeVar("Example", bound=Sized)


def shared_out(examples: Sequence[Example], n_groups: int) -> list[list[Example]]:
    """Groups with about the same to do, some perhaps empty.

    The longest example goes first, each to the group that has least yet.
    """
    groups: list[list[Example]] = [[] for _ in range(n_groups)]
    filled = [(0, number) for number in range(n_groups)]  # a heap: the emptiest first
    for example in sorted(examples, key=lambda each: each.n_tokens, reverse=True):
        n_tokens, emptiest = filled[0]
        groups[emptiest].append(example)
        heapq.heapreplace(filled, (n_tokens + example.n_tokens, emptiest))
    return groups


def passes(
    examples: Sequence[Example], n_workers: int, tokens_at_once: int
) -> list[list[Example]]:
    """Groups for so many workers at once that memory suffices.

    Args:
        tokens_at_once: what all workers together may hold, a longer example excepted.
    """
    n_tokens = sum(example.n_tokens for example in examples)
    n_rounds = math.ceil(n_tokens / tokens_at_once)
    return [group for group in shared_out(examples, n_rounds * n_workers) if group]
