"""What the outside hears of a run: metrics at each step, a checkpoint at each epoch."""

import math
import shutil
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from peft import PeftModel

from tuning_server_app.training.adapters import save_adapter
from tuning_server_app.training.events import Events
from tuning_server_app.training.failures import INVALID_HYPERPARAMETERS, RunFailed
from tuning_server_app.training.rows import Row
from tuning_server_app.training.run_config import CHECKPOINTS
from tuning_server_app.training.scoring import Score, score_rows
from tuning_server_app.training.trainer import Step
from tuning_server_app.training.workers import Workers

KEPT_CHECKPOINTS = 3
SAMPLED_VALIDATIONS = 10  # over the whole run, beside the full ones at epoch ends
SAMPLE_ROWS = 4


class RunReporter:
    """Reports every step; at the end of an epoch also validates in full and saves."""

    def __init__(
        self,
        events: Events,
        folder: Path,
        model: PeftModel,
        validation_rows: Sequence[Row],
        *,
        workers: Workers,
        steps_per_epoch: int,
        total_steps: int,
    ) -> None:
        self._events = events
        self._folder = folder
        self._model = model
        self._validation_rows = validation_rows
        self._workers = workers
        self._steps_per_epoch = steps_per_epoch
        self._total_steps = total_steps
        self._started = time.monotonic()
        self._kept: deque[Path] = deque()

    def step_ended(self, step: Step) -> None:
        """Tell the parent.

        Raises:
            RunFailed: the loss is no longer a number.
        """
        if not math.isfinite(step.score.loss):
            raise _diverged(step)
        is_epoch_end = step.number % self._steps_per_epoch == 0
        metrics = _metrics("train", step.score) | self._validate(step, is_epoch_end)
        self._events.send(
            "metrics",
            step=step.number,
            total_steps=self._total_steps,
            epoch=round(step.number / self._steps_per_epoch, 4),
            learning_rate=step.learning_rate,
            **metrics,
            **self._times(step),
        )
        if is_epoch_end:
            self._save_checkpoint(step, metrics)

    def checkpoint_folder(self, step_number: int) -> str:
        """Where that step's weights lie, relative to the run's folder."""
        return f"{CHECKPOINTS}/step-{step_number}"

    def _times(self, step: Step) -> dict[str, float]:
        seconds = time.monotonic() - self._started
        left = seconds / step.number * (self._total_steps - step.number)
        return {"seconds": round(seconds, 3), "estimated_seconds_left": round(left, 1)}

    def _validate(self, step: Step, is_epoch_end: bool) -> dict[str, float]:
        rows = self._validation_rows
        if not rows:
            return {}
        metrics: dict[str, float] = {}
        every = max(1, self._total_steps // SAMPLED_VALIDATIONS)
        if is_epoch_end or step.number % every == 0:
            metrics |= self._score("valid", self._sample(step, every))
        if is_epoch_end:
            metrics |= self._score("full_valid", rows)
        return metrics

    def _sample(self, step: Step, every: int) -> list[Row]:
        """A few rows, others each time, the same in every run."""
        rows = self._validation_rows
        first = step.number // every * SAMPLE_ROWS
        n_rows = min(SAMPLE_ROWS, len(rows))
        return [rows[(first + offset) % len(rows)] for offset in range(n_rows)]

    def _score(self, prefix: str, rows: Sequence[Row]) -> dict[str, float]:
        device = self._model.device
        return _metrics(prefix, score_rows(self._model, rows, self._workers, device))

    def _save_checkpoint(self, step: Step, metrics: dict[str, float]) -> None:
        folder = self.checkpoint_folder(step.number)
        save_adapter(self._model, self._folder / folder)
        self._events.send(
            "checkpoint",
            step=step.number,
            epoch=step.number // self._steps_per_epoch,
            folder=folder,
            metrics={"step": step.number, **metrics},
        )
        self._kept.append(self._folder / folder)
        if len(self._kept) > KEPT_CHECKPOINTS:
            shutil.rmtree(self._kept.popleft())


def _metrics(prefix: str, score: Score) -> dict[str, float]:
    return {
        f"{prefix}_loss": score.loss,
        f"{prefix}_mean_token_accuracy": score.mean_token_accuracy,
    }


def _diverged(step: Step) -> RunFailed:
    return RunFailed(
        INVALID_HYPERPARAMETERS,
        f"The loss stopped being a number at step {step.number}: the weights were moved"
        " too far at once. Launch again with a smaller learning_rate_multiplier.",
    )
