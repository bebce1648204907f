"""How wrong the model is about the tokens it should have written."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tuning_server_app.training import processes
from tuning_server_app.training.batches import PackedRows, Sized, pack
from tuning_server_app.training.memory_budget import MemoryBudget
from tuning_server_app.training.rows import Row


@dataclass(frozen=True)
class Score:
    """Sums over what is scored, so that parts of unlike size add up to a true mean.

    Answers are scored token by token, preferences pair by pair.
    """

    loss_sum: float = 0.0
    n_correct: int = 0
    n_tokens: int = 0
    n_preferred: int = 0
    n_pairs: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.loss_sum + other.loss_sum,
            self.n_correct + other.n_correct,
            self.n_tokens + other.n_tokens,
            self.n_preferred + other.n_preferred,
            self.n_pairs + other.n_pairs,
        )

    @property
    def n_scored(self) -> int:
        """What the loss is the mean over."""
        return self.n_pairs or self.n_tokens

    @property
    def loss(self) -> float:
        return self.loss_sum / self.n_scored

    def metrics(self, prefix: str) -> dict[str, float]:
        """The means, named as OpenAI names them."""
        found = {
            f"{prefix}_loss": self.loss,
            f"{prefix}_mean_token_accuracy": self.n_correct / self.n_tokens,
        }
        if self.n_pairs:
            found[f"{prefix}_reward_accuracy"] = self.n_preferred / self.n_pairs
        return found


class Objective(Protocol):
    """What a run makes smaller, on examples of its own kind."""

    def score_pass(
        self, model: torch.nn.Module, examples: Sequence[Any], device: torch.device
    ) -> tuple[Tensor, Score]:
        """The loss summed over what is scored, to go backward from, and the score."""


class Answers:
    """Supervised: each token of an answer, given all before it."""

    def score_pass(
        self, model: torch.nn.Module, examples: Sequence[Row], device: torch.device
    ) -> tuple[Tensor, Score]:
        batch = pack(examples).to(device)
        logits = scored_logits(model, batch)
        loss_sum = cross_entropy(logits, batch.targets, reduction="sum")
        n_correct = count_correct(logits, batch.targets)
        return loss_sum, Score(loss_sum.item(), n_correct, len(batch.targets))


def scored_logits(model: torch.nn.Module, batch: PackedRows) -> Tensor:
    """(N, vocabulary) float32: logits exist for scored places only. With a vocabulary
    of 49,152 they are the largest tensor of the pass."""
    logits: Tensor = model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        row_lengths=batch.row_lengths,
        groups=batch.groups,
        logits_to_keep=batch.scored_from,
        use_cache=False,
    ).logits[0]
    return logits.float()


def count_correct(logits: Tensor, targets: Tensor) -> int:
    return int((logits.detach().argmax(dim=-1) == targets).sum())


def score_examples(
    model: torch.nn.Module,
    examples: Sequence[Sized],
    objective: Objective,
    budget: MemoryBudget,
    device: torch.device,
) -> Score:
    """The model's score on examples it does not learn from."""
    model.eval()

    @torch.no_grad()
    def score(group: list[Sized]) -> Score:
        return objective.score_pass(model, group, device)[1]

    own = processes.own_share(examples)
    return summed(budget.total(own, score, Score, Score.__add__), device)


def summed(score: Score, device: torch.device) -> Score:
    """The score of all processes together."""
    # float64 counts exactly up to 2^53; a GPU's float32 would not.
    sums = torch.tensor(astuple(score), dtype=torch.float64, device=device)
    processes.add_up([sums])
    loss_sum, *counts = sums.tolist()
    return Score(loss_sum, *(int(count) for count in counts))
