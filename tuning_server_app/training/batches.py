"""Rows laid end to end for one forward pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from tuning_server_app.training.rows import Row


@dataclass(frozen=True)
class PackedRows:
    """Several rows as one sequence of T tokens, without padding.

    `ids` and `positions` are (1, T); positions start at 0 in every row. `scored_from`
    (N,) are the places whose next token is scored, `targets` (N,) those tokens; of
    each row there are as many as `n_scored` says.
    """

    ids: Tensor
    positions: Tensor
    row_lengths: list[int]
    scored_from: Tensor
    targets: Tensor
    n_scored: list[int]

    def to(self, device: torch.device) -> "PackedRows":
        return PackedRows(
            self.ids.to(device),
            self.positions.to(device),
            self.row_lengths,
            self.scored_from.to(device),
            self.targets.to(device),
            self.n_scored,
        )


def pack(rows: Sequence[Row]) -> PackedRows:
    """Lay the rows end to end."""
    ids = torch.tensor([token for row in rows for token in row.ids])
    is_target = torch.tensor(
        [scored for row in rows for scored in [False, *row.is_scored[1:]]]
    )
    places = is_target.nonzero().squeeze(1)
    return PackedRows(
        ids=ids[None],
        positions=torch.cat([torch.arange(len(row.ids)) for row in rows])[None],
        row_lengths=[len(row.ids) for row in rows],
        scored_from=places - 1,
        targets=ids[places],
        n_scored=[sum(row.is_scored[1:]) for row in rows],
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
    filled = [0] * n_groups
    for example in sorted(examples, key=lambda each: each.n_tokens, reverse=True):
        emptiest = filled.index(min(filled))
        groups[emptiest].append(example)
        filled[emptiest] += example.n_tokens
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
