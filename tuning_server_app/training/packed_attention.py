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

from tuning_server_app.training.side_by_side import SideBySide

PACKED = "packed_rows"
# On a CPU, torch's kernel takes three times as long for rows of 150 tokens, forward and
# back, as two plain matrix products; from about 400 on it is the faster one, and the
# only one that does not keep T × T numbers.
SHORT_ROW = 384


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    row_lengths: list[int],
    groups: SideBySide | None = None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each row.

    Args:
        query: (1, heads, T, head size); key and value may have fewer heads.
        row_lengths: how many of the T positions belong to each row, in order.
        groups: the rows side by side, for a GPU; without, they are taken one by one.
    Returns:
        (1, T, heads, head size), and no attention weights.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if groups is not None:
        return groups.attention(query, key, value, scale), None
    rows = zip(
        query.split(row_lengths, dim=2),
        key.split(row_lengths, dim=2),
        value.split(row_lengths, dim=2),
        strict=True,
    )
    seen = [_attention(q, k, v, scale).transpose(1, 2) for q, k, v in rows]
    return torch.cat(seen, dim=1), None


def _attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    if query.shape[2] <= SHORT_ROW:
        return short_attention(query, key, value, scale)
    return scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=scale, enable_gqa=True
    )


def short_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Causal attention of one short row, as two matrix products.

    Args:
        query: (1, heads, T, size); key and value: (1, fewer heads, T, size).
    Returns:
        (1, heads, T, size)
    """
    _one, n_heads, length, size = query.shape
    n_shared = key.shape[1]
    # The heads that share a key stand below each other in one product.
    asked = query.reshape(n_shared, -1, size) * scale
    scores = torch.bmm(asked, key[0].transpose(1, 2))
    future = torch.full((length, length), -torch.inf, dtype=query.dtype).triu_(1)
    weights = (scores.view(n_shared, -1, length, length) + future).softmax(dim=-1)
    seen = torch.bmm(weights.view(n_shared, -1, length), value[0])
    return seen.view(1, n_heads, length, size)


def _no_mask(*_: Any, **__: Any) -> None:
    """The rows' lengths say all that a mask would."""


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, _no_mask)
