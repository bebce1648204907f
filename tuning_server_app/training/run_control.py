"""After each step of a run: report it, save what is due, stand still when asked."""

import threading
from typing import Any

from transformers import (
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from tuning_server_app.training import processes
from tuning_server_app.training.memory import give_back_freed
from tuning_server_app.training.reporting import RunReporter
from tuning_server_app.training.states import SavedStates
from tuning_server_app.training.trainer import PackedRowsTrainer, Step

STEPS_PER_CLEARING = 4


class RunControl(TrainerCallback):
    """Also remembers whether the run stood still because it was asked to."""

    def __init__(
        self,
        trainer: PackedRowsTrainer,
        reporter: RunReporter,
        states: SavedStates,
        pause: threading.Event,
    ) -> None:
        self._trainer = trainer
        self._reporter = reporter
        self._states = states
        self._pause = pause
        self.paused_at: int | None = None

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        trainer = self._trainer
        step = Step(state.global_step, trainer.score, trainer.learning_rate)
        self._reporter.step_ended(step)
        if step.number % STEPS_PER_CLEARING == 0:
            give_back_freed()
        if step.number == state.max_steps:
            return
        is_end = self._reporter.is_epoch_end(step)
        control.should_save = self._states.is_due(is_epoch_end=is_end)
        if processes.any_says(self._pause.is_set(), args.device):
            self.paused_at = step.number
            control.should_save = control.should_training_stop = True
