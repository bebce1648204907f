"""What the outside hears of a run: metrics at each step, a checkpoint at each epoch."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

from tuning_server_app.run_files import CHECKPOINTS, step_folder
from tuning_server_app.training.adapters import save_adapter
from tuning_server_app.training.batches import Sized
from tuning_server_app.training.events import Events
from tuning_server_app.training.failures import INVALID_HYPERPARAMETERS, RunFailed
from tuning_server_app.training.material import Material
from tuning_server_app.training.pace import Pace
from tuning_server_app.training.rank import IS_FIRST
from tuning_server_app.training.scoring import score_examples
from tuning_server_app.training.trainer import Step

SAMPLED_VALIDATIONS = 10  # over the whole run, beside the full ones at epoch ends
SAMPLE_ROWS = 4


class RunReporter:
    """Reports every step; at the end of an epoch also validates in full and saves."""

    def __init__(
        self, events: Events, folder: Path, material: Material, seconds_before: float
    ) -> None:
        self._events = events
        self._folder = folder
        self._material = material
        self._steps_per_epoch = material.steps_per_epoch
        self._total_steps = material.total_steps
        self._began = time.monotonic() - seconds_before
        self._last_end = time.monotonic()
        self._pace = Pace()

    @property
    def seconds(self) -> float:
        """How long the run has trained, pauses left out."""
        return time.monotonic() - self._began

    def step_ended(self, step: Step) -> None:
        """Tell the parent.

        Raises:
            RunFailed: the loss is no longer a number, or the disk has no room.
        """
        if not math.isfinite(step.score.loss):
            raise _diverged(step)
        sampled = self._sampled_validation(step)
        self._pace.step_took(self._since_last())
        metrics = step.score.metrics("train") | sampled
        if self.is_epoch_end(step):
            metrics |= self._full_validation()
            self._save_checkpoint(step)
            self._pace.end_of_epoch_took(self._since_last())
        self._events.send(
            "metrics",
            step=step.number,
            total_steps=self._total_steps,
            epoch=round(step.number / self._steps_per_epoch, 4),
            learning_rate=step.learning_rate,
            **metrics,
            **self._times(step),
        )
        if self.is_epoch_end(step):
            self._tell_of_checkpoint(step, metrics)

    def is_epoch_end(self, step: Step) -> bool:
        return step.number % self._steps_per_epoch == 0

    def _since_last(self) -> float:
        moment = time.monotonic()
        seconds, self._last_end = moment - self._last_end, moment
        return seconds

    def _times(self, step: Step) -> dict[str, float]:
        n_steps = self._total_steps - step.number
        n_ends = self._total_steps // self._steps_per_epoch - (
            step.number // self._steps_per_epoch
        )
        return {
            "seconds": round(self.seconds, 3),
            "estimated_seconds_left": round(
                self._pace.seconds_left(n_steps, n_ends), 1
            ),
        }

    def _sampled_validation(self, step: Step) -> dict[str, float]:
        """A few rows, others each time, the same in every run."""
        rows = self._material.validation
        every = max(1, self._total_steps // SAMPLED_VALIDATIONS)
        is_due = self.is_epoch_end(step) or step.number % every == 0
        if not rows or not is_due:
            return {}
        first = step.number // every * SAMPLE_ROWS
        n_rows = min(SAMPLE_ROWS, len(rows))
        sample = [rows[(first + offset) % len(rows)] for offset in range(n_rows)]
        return self._score("valid", sample)

    def _full_validation(self) -> dict[str, float]:
        rows = self._material.validation
        return self._score("full_valid", rows) if rows else {}

    def _score(self, prefix: str, examples: Sequence[Sized]) -> dict[str, float]:
        model = self._material.model
        score = score_examples(
            model,
            examples,
            self._material.objective,
            self._material.budget,
            model.device,
        )
        return score.metrics(prefix)

    def _save_checkpoint(self, step: Step) -> None:
        if IS_FIRST:
            folder = self._folder / CHECKPOINTS / step_folder(step.number)
            save_adapter(self._material.model, folder)

    def _tell_of_checkpoint(self, step: Step, metrics: dict[str, float]) -> None:
        self._events.send(
            "checkpoint",
            step=step.number,
            epoch=step.number // self._steps_per_epoch,
            folder=f"{CHECKPOINTS}/{step_folder(step.number)}",
            metrics={"step": step.number, **metrics},
        )


def _diverged(step: Step) -> RunFailed:
    return RunFailed(
        INVALID_HYPERPARAMETERS,
        f"The loss stopped being a number at step {step.number}: the weights were moved"
        " too far at once. Launch again with a smaller learning_rate_multiplier.",
    )
