"""How wrong the model is about the tokens it should have written."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tuning_server_app.training.batches import PackedRows, pack, passes
from tuning_server_app.training.rows import Row


@dataclass
class Score:
    """Sums over scored tokens, so that parts of unlike size add up to a true mean."""

    loss_sum: float = 0.0
    n_correct: int = 0
    n_tokens: int = 0

    def add(self, loss_sum: Tensor, n_correct: Tensor, n_tokens: int) -> None:
        self.loss_sum += float(loss_sum.detach())
        self.n_correct += int(n_correct)
        self.n_tokens += n_tokens

    @property
    def loss(self) -> float:
        return self.loss_sum / self.n_tokens

    @property
    def mean_token_accuracy(self) -> float:
        return self.n_correct / self.n_tokens


def score_pass(model: torch.nn.Module, batch: PackedRows) -> tuple[Tensor, Tensor]:
    """Loss summed over the pass's scored tokens, and how many were guessed right.

    Logits are computed for scored places only: with a vocabulary of 49,152 they are
    the largest tensor of the pass.
    """
    logits = model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        row_lengths=batch.row_lengths,
        logits_to_keep=batch.scored_from,
        use_cache=False,
    ).logits[0]
    loss_sum = cross_entropy(logits.float(), batch.targets, reduction="sum")
    n_correct = (logits.detach().argmax(dim=-1) == batch.targets).sum()
    return loss_sum, n_correct


@torch.no_grad()
def score_rows(
    model: torch.nn.Module, rows: Iterable[Row], device: torch.device
) -> Score:
    """The model's score on rows it does not learn from."""
    model.eval()
    score = Score()
    for group in passes(list(rows)):
        batch = pack(group).to(device)
        score.add(*score_pass(model, batch), len(batch.targets))
    return score
