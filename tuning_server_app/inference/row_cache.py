"""Keys and values of conversations that are read or answered side by side."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import Cache
from transformers.cache_utils import DynamicLayer

ROOM = 256  # tokens; how much a buffer grows at once


class GrowingLayer(DynamicLayer):
    """Room ahead in one buffer: a step writes its own part and copies no other.

    `keys` and `values` are (rows, heads, room, head size), of which `length` is used.
    """

    keys: Tensor
    values: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        end = self.length + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        self.keys = _with_room(self.keys, end)
        self.values = _with_room(self.values, end)
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        return self.length

    def hold(self, keys: Tensor, values: Tensor) -> None:
        """Forget everything else."""
        self.keys, self.values, self.length = keys, values, keys.shape[-2]

    @property
    def used(self) -> tuple[Tensor, Tensor]:
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]


class RowCache:
    """Rows of unequal length that all end at the same place.

    Shorter ones begin later: what stands before them is zero and masked. `lengths` has
    each row's tokens; a step that fails half way changes nothing of what it says.
    """

    def __init__(self) -> None:
        self.past = Cache(layer_class_to_replicate=GrowingLayer)
        self.lengths: list[int] = []

    @property
    def length(self) -> int:
        return max(self.lengths, default=0)

    @property
    def n_bytes(self) -> int:
        used = [tensor for layer in self._layers for tensor in layer.used]
        return sum(tensor.numel() * tensor.element_size() for tensor in used)

    def mask(self, n_new: int) -> Tensor | None:
        """(rows, length + n_new), true on tokens; None where every row is full."""
        if len(set(self.lengths)) <= 1:
            return None
        begins = torch.tensor([[self.length - length] for length in self.lengths])
        return torch.arange(self.length + n_new)[None] >= begins

    def positions(self, n_new: int) -> Tensor:
        """(rows, n_new): where the next tokens stand in their own conversation."""
        return torch.tensor(self.lengths)[:, None] + torch.arange(n_new)[None]

    def advance(self, n_new: int) -> None:
        """The last step is valid."""
        self.lengths = [length + n_new for length in self.lengths]

    def rewind(self) -> None:
        """The last step is void."""
        for layer in self._layers:
            layer.length = self.length

    def join(self, other: "RowCache") -> None:
        """Put the other's rows below these; if there is no memory for it, nothing is
        changed."""
        if not self.lengths:
            self.past, self.lengths = other.past, other.lengths
            return
        length = max(self.length, other.length)
        joined = [
            [
                _one_below_the_other(upper, lower, length)
                for upper, lower in zip(mine.used, theirs.used, strict=True)
            ]
            for mine, theirs in zip(self._layers, other._layers, strict=True)
        ]
        for layer, (keys, values) in zip(self._layers, joined, strict=True):
            layer.hold(keys, values)
        self.lengths = self.lengths + other.lengths

    def select(self, rows: Sequence[int]) -> "RowCache":
        """A copy with these rows only, in this order, without needless room."""
        chosen = RowCache()
        chosen.lengths = [self.lengths[row] for row in rows]
        index = torch.tensor(rows)
        for layer in self._layers:
            copy = GrowingLayer()
            keys, values = (_ends(part, index, chosen.length) for part in layer.used)
            copy.lazy_initialization(keys, values)
            copy.hold(keys, values)
            chosen.past.layers.append(copy)
        return chosen

    @property
    def _layers(self) -> list[GrowingLayer]:
        return cast(list[GrowingLayer], self.past.layers)


def _with_room(buffer: Tensor, length: int) -> Tensor:
    missing = length - buffer.shape[-2]
    return buffer if missing <= 0 else pad(buffer, (0, 0, 0, missing + ROOM))


def _one_below_the_other(upper: Tensor, lower: Tensor, length: int) -> Tensor:
    return torch.cat([_moved_to_end(upper, length), _moved_to_end(lower, length)])


def _moved_to_end(part: Tensor, length: int) -> Tensor:
    return pad(part, (0, 0, length - part.shape[-2], 0))


def _ends(part: Tensor, rows: Tensor, length: int) -> Tensor:
    """The last `length` positions of the rows."""
    rows = rows.to(part.device)
    return part[:, :, part.shape[-2] - length :].index_select(0, rows)
