"""How wrong the model is about the tokens it should have written."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tuning_server_app.training.batches import PackedRows, pack, passes
from tuning_server_app.training.rows import Row
from tuning_server_app.training.workers import Workers


@dataclass(frozen=True)
class Score:
    """Sums over scored tokens, so that parts of unlike size add up to a true mean."""

    loss_sum: float = 0.0
    n_correct: int = 0
    n_tokens: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.loss_sum + other.loss_sum,
            self.n_correct + other.n_correct,
            self.n_tokens + other.n_tokens,
        )

    @property
    def loss(self) -> float:
        return self.loss_sum / self.n_tokens

    @property
    def mean_token_accuracy(self) -> float:
        return self.n_correct / self.n_tokens


def score_pass(model: torch.nn.Module, batch: PackedRows) -> tuple[Tensor, Score]:
    """The loss summed over scored tokens, to go backward from, and the score.

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
    score = Score(loss_sum.item(), int(n_correct), len(batch.targets))
    return loss_sum, score


def score_rows(
    model: torch.nn.Module,
    rows: Sequence[Row],
    workers: Workers,
    device: torch.device,
) -> Score:
    """The model's score on rows it does not learn from."""
    model.eval()

    @torch.no_grad()
    def score(group: list[Row]) -> Score:
        return score_pass(model, pack(group).to(device))[1]

    groups = passes(rows, workers.count, device)
    return sum(workers.map(score, groups), start=Score())
