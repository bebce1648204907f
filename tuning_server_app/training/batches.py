"""Rows laid end to end for one forward pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning_server_app.training.rows import Row


@dataclass(frozen=True)
class PackedRows:
    """Several rows as one sequence of T tokens, without padding.

    `ids` and `positions` are (1, T); positions start at 0 in every row. `scored_from`
    (N,) are the places whose next token is scored, `targets` (N,) those tokens.
    """

    ids: Tensor
    positions: Tensor
    row_lengths: list[int]
    scored_from: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> "PackedRows":
        return PackedRows(
            self.ids.to(device),
            self.positions.to(device),
            self.row_lengths,
            self.scored_from.to(device),
            self.targets.to(device),
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
    )


def passes(
    rows: Sequence[Row], n_workers: int, device: torch.device
) -> list[list[Row]]:
    """Share out rows so that workers have about the same to do and memory suffices.

    The longest row goes first, each to the group that has least yet.
    """
    n_tokens = sum(len(row.ids) for row in rows)
    n_rounds = math.ceil(n_tokens / tokens_at_once(device))
    groups: list[list[Row]] = [[] for _ in range(n_rounds * n_workers)]
    filled = [0] * len(groups)
    for row in sorted(rows, key=lambda row: len(row.ids), reverse=True):
        emptiest = filled.index(min(filled))
        groups[emptiest].append(row)
        filled[emptiest] += len(row.ids)
    return [group for group in groups if group]


def tokens_at_once(device: torch.device) -> int:
    """How many tokens all workers together have in memory, a longer row excepted.

    SmolLM2-135M takes about 2 MB a token in float32 on its way forward and back.
    """
    return 16_384 if device.type == "cuda" else 1024
