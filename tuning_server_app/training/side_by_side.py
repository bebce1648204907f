"""Attention of a GPU: rows of a pass side by side instead of one after the other.

A GPU is not busy with one short row; each call costs it more than its work. So rows of
like length stand below each other, padded behind their ends, for attention alone: what
is causal never looks there, so no mask is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

MOST_PADDING = 2  # a group of rows takes up to as many times the room of its tokens


@dataclass(frozen=True)
class SideBySide:
    """Where the T positions of a pass stand in groups of rows.

    `groups` are (rows, longest) places of positions, any one where a row has ended;
    `back` (T,) says where each position is among all that the groups hold.
    """

    groups: list[Tensor]
    back: Tensor

    def attention(
        self, query: Tensor, key: Tensor, value: Tensor, scale: float
    ) -> Tensor:
        """Causal attention within each row.

        Args:
            query: (1, heads, T, size); key and value: (1, fewer heads, T, size).
        Returns:
            (1, T, heads, size)
        """
        n_heads = [query.shape[1], key.shape[1], value.shape[1]]
        together = torch.cat([query, key, value], dim=1)[0]
        seen = [_seen(together, places, n_heads, scale) for places in self.groups]
        return torch.cat(seen).index_select(0, self.back)[None]


def _seen(together: Tensor, places: Tensor, n_heads: list[int], scale: float) -> Tensor:
    """(rows x longest, heads, size) of one group."""
    n_rows, longest = places.shape
    chosen = together.index_select(1, places.flatten())
    rows = chosen.view(-1, n_rows, longest, chosen.shape[-1]).transpose(0, 1)
    query, key, value = rows.split(n_heads, dim=1)
    found: Tensor = scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=scale, enable_gqa=True
    )
    return found.transpose(1, 2).flatten(0, 1)


def side_by_side(row_lengths: Sequence[int], device: torch.device) -> SideBySide:
    """Groups for rows that lie end to end, each of so many positions."""
    starts = torch.tensor([0, *row_lengths]).cumsum(0).tolist()
    groups, back, n_places = [], torch.empty(starts[-1], dtype=torch.long), 0
    for numbers in grouped(row_lengths):
        longest = row_lengths[numbers[0]]
        places = torch.full((len(numbers), longest), starts[numbers[0]])
        for line, number in enumerate(numbers):
            length, start = row_lengths[number], starts[number]
            places[line, :length] = torch.arange(start, start + length)
            first = n_places + line * longest
            back[start : start + length] = torch.arange(first, first + length)
        groups.append(places.to(device))
        n_places += places.numel()
    return SideBySide(groups, back.to(device))


def grouped(row_lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of rows, the longest first; a new group where padding would be much."""
    groups: list[list[int]] = []
    n_tokens = 0
    for number in sorted(range(len(row_lengths)), key=lambda n: -row_lengths[n]):
        length = row_lengths[number]
        room = MOST_PADDING * (n_tokens + length)
        if groups and row_lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= room:
            groups[-1].append(number)
        else:
            groups.append([number])
            n_tokens = 0
        n_tokens += length
    return groups
