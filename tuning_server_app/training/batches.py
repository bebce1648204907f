"""Rows laid end to end for one forward pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning_server_app.training.rows import Row

# Bounds the memory of one forward and backward pass: about 2 MB a token for
# SmolLM2-135M in float32. Larger passes are hardly faster on a CPU.
TOKENS_PER_PASS = 1024


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


def passes(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Group rows so that each group fits one pass; a longer row goes alone.

    Rows of like length meet, which fills the passes better.
    """
    group: list[Row] = []
    room = TOKENS_PER_PASS
    for row in sorted(rows, key=lambda row: len(row.ids)):
        if group and len(row.ids) > room:
            yield group
            group, room = [], TOKENS_PER_PASS
        group.append(row)
        room -= len(row.ids)
    if group:
        yield group
