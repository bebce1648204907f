"""One run in several processes, each with a device of its own (`accelerate launch`).

Every process knows all rows of a step, computes its share, and adds up with the others
once: any batch size works, no row is doubled, and all hold the same weights.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from tuning_server_app.training.batches import Example, shared_out
from tuning_server_app.training.rank import COUNT, RANK


def own_share(examples: Sequence[Example]) -> Sequence[Example]:
    """What this process computes of a step."""
    return examples if COUNT == 1 else shared_out(examples, COUNT)[RANK]


def add_up(tensors: Sequence[Tensor]) -> None:
    """Put the sum over all processes in the place of each tensor."""
    if COUNT == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def any_says(said: bool, device: torch.device) -> bool:
    """Whether one process at least says so: all get the same answer."""
    if COUNT == 1:
        return said
    votes = torch.tensor([float(said)], device=device)
    add_up([votes])
    return bool(votes.item())
