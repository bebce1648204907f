"""Of two answers to one question, the one that people preferred (DPO).

The model learns to find the preferred answer likelier, compared with the other and with
what it thought of both before the training. The loss is that of "Direct Preference
Optimization" (Rafailov et al., 2023), TRL's `sigmoid`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid
from transformers import PreTrainedTokenizerBase

from tuning_server_app.training import processes
from tuning_server_app.training.batches import pack
from tuning_server_app.training.memory_budget import MemoryBudget
from tuning_server_app.training.rows import ExampleReader, Row
from tuning_server_app.training.scoring import Score, count_correct, scored_logits
from tuning_server_app.training_files.conversations import DPO


@dataclass(frozen=True)
class Pair:
    """A question with each of its answers; only the answers are scored.

    `margin` is how much likelier, as the difference of logarithms, the model found the
    preferred answer before it was trained.
    """

    preferred: Row
    other: Row
    margin: float = 0.0

    @property
    def n_tokens(self) -> int:
        return self.preferred.n_tokens + self.other.n_tokens

    @property
    def n_trained(self) -> int:
        """The question counts once."""
        return self.n_tokens - self.preferred.is_scored.index(True)


class Preferences:
    """The objective: pair by pair.

    Args:
        beta: how dearly the model must pay for thinking otherwise than before.
    """

    def __init__(self, beta: float) -> None:
        self._beta = beta

    def score_pass(
        self, model: torch.nn.Module, examples: Sequence[Pair], device: torch.device
    ) -> tuple[Tensor, Score]:
        margins, n_correct, n_tokens = _margins(model, examples, device)
        before = torch.tensor([pair.margin for pair in examples], device=device)
        moved = margins - before
        loss_sum = -logsigmoid(self._beta * moved).sum()
        return loss_sum, Score(
            loss_sum.item(), n_correct, n_tokens, int((moved > 0).sum()), len(examples)
        )


def with_margins(
    model: torch.nn.Module,
    pairs: Sequence[Pair],
    budget: MemoryBudget,
    device: torch.device,
) -> list[Pair]:
    """The pairs with what the model thinks of them now: worked out once, not in each
    step again."""
    margins = torch.zeros(len(pairs), dtype=torch.float64, device=device)
    numbered = [_Numbered(number, pair) for number, pair in enumerate(pairs)]

    @torch.no_grad()
    def look(group: list[_Numbered]) -> tuple[list[int], Tensor]:
        found, *_ = _margins(model, [each.pair for each in group], device)
        return [each.number for each in group], found

    def note(so_far: Tensor, found: tuple[list[int], Tensor]) -> Tensor:
        numbers, values = found
        so_far[numbers] = values.double()
        return so_far

    model.eval()
    own = processes.own_share(numbered)
    margins = budget.total(own, look, partial(torch.zeros_like, margins), note)
    processes.add_up([margins])
    return [
        replace(pair, margin=margin)
        for pair, margin in zip(pairs, margins.tolist(), strict=True)
    ]


def read_pairs(
    path: Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    param: str,
    tell: Callable[[str], None] | None = None,
) -> list[Pair]:
    """Every example of the file that has two answers to compare; see `read_rows`.

    Raises:
        RunFailed: an example cannot be used; it is named by its number, from 1.
    """
    reader = ExampleReader(tokenizer, max_tokens, param)
    pairs = [Pair(first, second) for first, second in reader.read(path, DPO)]
    if tell is not None and reader.n_cut:
        tell(reader.summary)
    return pairs


@dataclass(frozen=True)
class _Numbered:
    number: int
    pair: Pair

    @property
    def n_tokens(self) -> int:
        return self.pair.n_tokens


def _margins(
    model: torch.nn.Module, pairs: Sequence[Pair], device: torch.device
) -> tuple[Tensor, int, int]:
    """(P,) margins; how many tokens of the preferred answers were guessed, of how many.

    Both answers of a pair stand in the same pass.
    """
    batch = pack([row for pair in pairs for row in (pair.preferred, pair.other)])
    batch = batch.to(device)
    logits = scored_logits(model, batch)
    log_likelihoods = -cross_entropy(logits, batch.targets, reduction="none")
    sums = torch.stack([row.sum() for row in log_likelihoods.split(batch.n_scored)])
    preferred = list(
        zip(
            logits.split(batch.n_scored)[::2],
            batch.targets.split(batch.n_scored)[::2],
            strict=True,
        )
    )
    n_correct = sum(count_correct(guess, truth) for guess, truth in preferred)
    n_tokens = sum(len(truth) for _guess, truth in preferred)
    return sums[::2] - sums[1::2], n_correct, n_tokens
