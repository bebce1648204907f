"""What `auto` means, and what a learning_rate_multiplier multiplies.

The rules come from runs on SmolLM2-135M-Instruct. Fifteen Korean chats of 210 to 310
tokens, batches of 2, a rate of 1e-3: after 64 steps (8 epochs) 4 of 1,881 tokens were
still wrong (loss 0.024), after 80 none (0.005), after 96 the loss was 0.002. Small
files are meant to be known by heart, so they get about a hundred steps, in small
batches; with more rows each row also learns from its likes, and fewer readings do.
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal

from tuning_server_app.base_models import BaseModel

Auto = Literal["auto"]
SUPERVISED, DPO = "supervised", "dpo"

WARMUP = 0.05  # of all steps

# For a base model that is not named here, and that its operator gave no rate, one that
# is safe for models up to 8B.
BASE_LEARNING_RATES = {"SmolLM2-135M-Instruct": 1e-3}
OTHER_BASE_LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class RequestedHyperparameters:
    """As the job asked; each a number or `auto`."""

    n_epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate_multiplier: float | Auto = "auto"
    beta: float | Auto = "auto"


@dataclass(frozen=True)
class Hyperparameters:
    """The numbers a run trains with."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float | None = None  # of preferences alone

    def as_dict(self) -> dict[str, float]:
        numbers = asdict(self).items()
        return {name: number for name, number in numbers if number is not None}


@dataclass(frozen=True)
class Rule:
    """What suits files of up to `max_rows` rows."""

    max_rows: float
    batch_size: int
    learning_rate_multiplier: float
    fewest_epochs: int


RULES = [
    Rule(50, batch_size=2, learning_rate_multiplier=1.0, fewest_epochs=8),
    Rule(200, batch_size=4, learning_rate_multiplier=1.0, fewest_epochs=5),
    Rule(1000, batch_size=8, learning_rate_multiplier=0.5, fewest_epochs=3),
    Rule(math.inf, batch_size=16, learning_rate_multiplier=0.5, fewest_epochs=2),
]
# Two short rows are too little work for the cost that every step has.
SHORT_ROW_TOKENS = 128
ENOUGH_STEPS = 96
MOST_EPOCHS = 20

# Preferences teach which way to lean, not words by heart: fewer and smaller steps, or
# the model forgets how to speak. Ten pairs of SmolLM2-135M-Instruct, 30 steps: at a
# fiftieth of the rate the loss fell from 0.69 to 0.2 within 5 steps and to 0.006 in the
# end, at a tenth it was spent after 3.
BETA = 0.1
SHARE_OF_PREFERENCES = 0.02  # of the learning rate
ENOUGH_STEPS_OF_PREFERENCES = 48
MOST_EPOCHS_OF_PREFERENCES = 6


def resolve(
    requested: RequestedHyperparameters,
    *,
    n_rows: int,
    n_tokens: int,
    method: str = SUPERVISED,
) -> Hyperparameters:
    """What was asked for, with the rules' numbers where `auto` was."""
    rule = next(rule for rule in RULES if n_rows <= rule.max_rows)
    batch_size = _chosen(requested.batch_size, _batch_size(rule, n_rows, n_tokens))
    batch_size = min(int(batch_size), n_rows)
    epochs = _n_epochs if method == SUPERVISED else _n_epochs_of_preferences
    multiplier = rule.learning_rate_multiplier
    return Hyperparameters(
        int(_chosen(requested.n_epochs, epochs(rule, n_rows, batch_size))),
        batch_size,
        _chosen(requested.learning_rate_multiplier, multiplier),
        _chosen(requested.beta, BETA) if method == DPO else None,
    )


def _chosen(asked: float | Auto, automatic: float) -> float:
    return automatic if asked == "auto" else asked


def _batch_size(rule: Rule, n_rows: int, n_tokens: int) -> int:
    is_short = n_tokens / n_rows < SHORT_ROW_TOKENS
    return min(2 * rule.batch_size if is_short else rule.batch_size, n_rows)


def _n_epochs(rule: Rule, n_rows: int, batch_size: int) -> int:
    wanted = math.ceil(ENOUGH_STEPS / math.ceil(n_rows / batch_size))
    return min(MOST_EPOCHS, max(rule.fewest_epochs, wanted))


def _n_epochs_of_preferences(rule: Rule, n_rows: int, batch_size: int) -> int:
    wanted = math.ceil(ENOUGH_STEPS_OF_PREFERENCES / math.ceil(n_rows / batch_size))
    return min(MOST_EPOCHS_OF_PREFERENCES, wanted)


def steps_per_epoch(hyperparameters: Hyperparameters, n_rows: int) -> int:
    return math.ceil(n_rows / hyperparameters.batch_size)


def total_steps(hyperparameters: Hyperparameters, n_rows: int) -> int:
    return hyperparameters.n_epochs * steps_per_epoch(hyperparameters, n_rows)


def base_learning_rate(base: BaseModel, method: str = SUPERVISED) -> float:
    """The learning rate that a multiplier of 1 means for this model."""
    known = BASE_LEARNING_RATES.get(base.name, OTHER_BASE_LEARNING_RATE)
    rate = base.learning_rate or known
    return rate * SHARE_OF_PREFERENCES if method == DPO else rate


def share_of_learning_rate(step: int, *, n_steps: int) -> float:
    """The part of the learning rate that step (from 0) uses: a short climb, a fall."""
    n_warmup = math.ceil(WARMUP * n_steps)
    if step < n_warmup:
        return (step + 1) / n_warmup
    return (n_steps - step) / (n_steps - n_warmup + 1)
