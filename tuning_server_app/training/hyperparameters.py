"""What `auto` means."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

Auto = Literal["auto"]

WARMUP = 0.05  # of all steps


@dataclass(frozen=True)
class RequestedHyperparameters:
    """As the job asked; each a number or `auto`."""

    n_epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate_multiplier: float | Auto = "auto"


@dataclass(frozen=True)
class Hyperparameters:
    """The numbers a run trains with."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def resolve(requested: RequestedHyperparameters, *, n_rows: int) -> Hyperparameters:
    """Numbers for whatever was left to us."""
    epochs, batch, multiplier = (
        requested.n_epochs,
        requested.batch_size,
        requested.learning_rate_multiplier,
    )
    return Hyperparameters(
        n_epochs=8 if epochs == "auto" else epochs,
        batch_size=min(n_rows, 4 if batch == "auto" else batch),
        learning_rate_multiplier=1.0 if multiplier == "auto" else multiplier,
    )


def total_steps(hyperparameters: Hyperparameters, n_rows: int) -> int:
    return hyperparameters.n_epochs * steps_per_epoch(hyperparameters, n_rows)


def steps_per_epoch(hyperparameters: Hyperparameters, n_rows: int) -> int:
    return math.ceil(n_rows / hyperparameters.batch_size)


def base_learning_rate(base_model: str) -> float:
    """What a learning_rate_multiplier of 1 means for this model."""
    return 1e-3


def share_of_learning_rate(step: int, *, n_steps: int) -> float:
    """The part of the learning rate that step (from 0) uses: a short climb, a fall."""
    n_warmup = math.ceil(WARMUP * n_steps)
    if step < n_warmup:
        return (step + 1) / n_warmup
    return (n_steps - step) / (n_steps - n_warmup + 1)
