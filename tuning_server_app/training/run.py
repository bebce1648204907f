"""One training run from its folder to a finished adapter, reported as events."""

import logging
import threading
from pathlib import Path

from tuning_server_app.run_files import CHECKPOINTS, step_folder
from tuning_server_app.training.events import Events
from tuning_server_app.training.failures import (
    OUT_OF_MEMORY,
    SERVER_ERROR,
    RunFailed,
)
from tuning_server_app.training.hyperparameters import base_learning_rate
from tuning_server_app.training.material import Material, load_material
from tuning_server_app.training.memory_budget import is_out_of_memory
from tuning_server_app.training.reporting import RunReporter
from tuning_server_app.training.run_config import RunConfig, read_run_config
from tuning_server_app.training.run_control import RunControl
from tuning_server_app.training.states import Progress, SavedStates, find_state
from tuning_server_app.training.trainer import PackedRowsTrainer, make_trainer

logger = logging.getLogger(__name__)


def run(folder: Path, events: Events, pause: threading.Event) -> bool:
    """Train what the folder asks for; False if the run failed, which is reported.

    Args:
        folder: if it holds the state of an earlier run, this one goes on from there.
        pause: when set, the run saves its state after the step at hand and ends.
    """
    try:
        _train(read_run_config(folder), events, pause)
    except RunFailed as failure:
        logger.exception("The run failed.")
        _report_failure(events, failure)
    except Exception as error:  # the end of a run: whatever it was, its owner hears it
        logger.exception("The run failed.")
        _report_failure(events, _explained(error))
    else:
        return True
    return False


def _train(config: RunConfig, events: Events, pause: threading.Event) -> None:
    state, progress = find_state(config.folder)
    material = load_material(config, progress.tokens_at_once, events)
    if state is not None:
        events.progress(f"Going on from step {progress.step}")
    trainer, control = _make(config, material, progress, events, pause)
    trainer.train(resume_from_checkpoint=str(state) if state else None)
    if control.paused_at is not None:
        events.send("paused", step=control.paused_at)
        return
    events.send(
        "finished",
        trained_tokens=material.n_tokens * material.hyperparameters.n_epochs,
        folder=f"{CHECKPOINTS}/{step_folder(material.total_steps)}",
    )


def _make(
    config: RunConfig,
    material: Material,
    progress: Progress,
    events: Events,
    pause: threading.Event,
) -> tuple[PackedRowsTrainer, RunControl]:
    states = SavedStates(config.folder)
    reporter = RunReporter(events, config.folder, material, progress.seconds)
    rate = base_learning_rate(config.base_model, config.method)
    trainer = make_trainer(
        material.model,
        material.tokenizer,
        material.examples,
        material.hyperparameters,
        learning_rate=rate * material.hyperparameters.learning_rate_multiplier,
        seed=config.seed,
        folder=config.folder,
        objective=material.objective,
        budget=material.budget,
        save_state=lambda step, write: states.save(
            Progress(step, reporter.seconds, material.budget.tokens_at_once), write
        ),
    )
    control = RunControl(trainer, reporter, states, pause)
    trainer.add_callback(control)
    return trainer, control


def _explained(error: Exception) -> RunFailed:
    if is_out_of_memory(error):
        return RunFailed(
            OUT_OF_MEMORY,
            "The machine has too little free memory for this base model. Choose a"
            " smaller one, or stop other programs, and launch again.",
        )
    return RunFailed(
        SERVER_ERROR,
        f"The trainer stopped unexpectedly ({type(error).__name__}: {error}). Launch"
        " again; if it stops again, the run's log has the details.",
    )


def _report_failure(events: Events, failure: RunFailed) -> None:
    events.send(
        "failed", code=failure.code, param=failure.param, message=failure.message
    )
