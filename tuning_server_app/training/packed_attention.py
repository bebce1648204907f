"""Attention over rows laid end to end, each seeing only itself.

Rows of a batch differ in length. Padding them to the longest wastes about a third of
the work; here the batch is one long sequence without padding, for which every layer but
attention needs no change, and attention runs row by row.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

PACKED = "packed_rows"


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    row_lengths: list[int],
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each row.

    Args:
        query: (1, heads, T, head size); key and value may have fewer heads.
        row_lengths: how many of the T positions belong to each row, in order.
    Returns:
        (1, T, heads, head size), and no attention weights.
    """
    rows = zip(
        query.split(row_lengths, dim=2),
        key.split(row_lengths, dim=2),
        value.split(row_lengths, dim=2),
        strict=True,
    )
    seen = [
        scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, enable_gqa=True
        ).transpose(1, 2)
        for q, k, v in rows
    ]
    return torch.cat(seen, dim=1), None


def _no_mask(*_: Any, **__: Any) -> None:
    """The rows' lengths say all that a mask would."""


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, _no_mask)
