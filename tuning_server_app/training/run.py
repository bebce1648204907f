"""One training run from its folder to a finished adapter, reported as events."""

import logging
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from tuning_server_app.base_models import BaseModelMissing
from tuning_server_app.training import packed_attention
from tuning_server_app.training.adapters import continue_adapter, new_adapter
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.events import Events
from tuning_server_app.training.failures import (
    BASE_MODEL_UNAVAILABLE,
    OUT_OF_MEMORY,
    SERVER_ERROR,
    RunFailed,
)
from tuning_server_app.training.hyperparameters import (
    base_learning_rate,
    resolve,
    steps_per_epoch,
    total_steps,
)
from tuning_server_app.training.loading import (
    context_length,
    load_model,
    load_tokenizer,
)
from tuning_server_app.training.reporting import RunReporter
from tuning_server_app.training.rows import Row, read_rows
from tuning_server_app.training.run_config import RunConfig, read_run_config
from tuning_server_app.training.trainer import make_trainer
from tuning_server_app.training.workers import Workers

logger = logging.getLogger(__name__)


def run(folder: Path, events: Events) -> bool:
    """Train what the folder asks for; False if the run failed, which is reported."""
    try:
        _train(read_run_config(folder), events)
    except RunFailed as failure:
        _report_failure(events, failure)
    except Exception as error:  # the end of a run: whatever it was, its owner hears it
        logger.exception("The run failed.")
        _report_failure(events, _explained(error))
    else:
        return True
    return False


def _train(config: RunConfig, events: Events) -> None:
    events.progress("Loading the base model")
    model, tokenizer = _load_base(config)
    events.progress("Reading the training file")
    rows, validation_rows = _read_files(config, model, tokenizer)
    n_tokens = sum(len(row.ids) for row in rows)
    hyperparameters = resolve(
        config.hyperparameters, n_rows=len(rows), n_tokens=n_tokens
    )
    n_steps = total_steps(hyperparameters, len(rows))
    events.send(
        "resolved",
        hyperparameters=hyperparameters.as_dict(),
        n_rows=len(rows),
        n_tokens=n_tokens,
        total_steps=n_steps,
    )
    adapted = _with_adapter(model, config)
    workers = Workers(adapted.device)
    reporter = RunReporter(
        events,
        config.folder,
        adapted,
        validation_rows,
        workers=workers,
        steps_per_epoch=steps_per_epoch(hyperparameters, len(rows)),
        total_steps=n_steps,
    )
    trainer = make_trainer(
        adapted,
        tokenizer,
        rows,
        hyperparameters,
        learning_rate=base_learning_rate(config.base_model.name)
        * hyperparameters.learning_rate_multiplier,
        seed=config.seed,
        folder=config.folder,
        workers=workers,
        report=reporter.step_ended,
    )
    trainer.train()
    events.send(
        "finished",
        trained_tokens=n_tokens * hyperparameters.n_epochs,
        folder=reporter.checkpoint_folder(n_steps),
    )


def _load_base(config: RunConfig) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        folder = ensure_ready(config.base_model, config.base_cache)
    except BaseModelMissing as error:
        raise RunFailed(BASE_MODEL_UNAVAILABLE, str(error)) from error
    model = load_model(folder, attention=packed_attention.PACKED)
    return model, load_tokenizer(folder)


def _read_files(
    config: RunConfig, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[list[Row], list[Row]]:
    limit = context_length(model)
    rows = read_rows(
        config.training_file, tokenizer, max_tokens=limit, param="training_file"
    )
    if config.validation_file is None:
        return rows, []
    validation_rows = read_rows(
        config.validation_file, tokenizer, max_tokens=limit, param="validation_file"
    )
    return rows, validation_rows


def _with_adapter(model: PreTrainedModel, config: RunConfig) -> PeftModel:
    set_seed(config.seed)  # a new adapter begins with random numbers
    if config.start_from_adapter is None:
        return new_adapter(model)
    return continue_adapter(model, config.start_from_adapter)


def _explained(error: Exception) -> RunFailed:
    if _is_out_of_memory(error):
        return RunFailed(
            OUT_OF_MEMORY,
            "The machine has too little free memory for this run. Shorten the longest"
            " examples, or stop other programs, and launch again.",
        )
    return RunFailed(
        SERVER_ERROR,
        f"The trainer stopped unexpectedly ({type(error).__name__}: {error}). Launch"
        " again; if it stops again, the run's log has the details.",
    )


def _is_out_of_memory(error: Exception) -> bool:
    # torch's CPU allocator has no exception class of its own.
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "can't allocate memory" in str(error)


def _report_failure(events: Events, failure: RunFailed) -> None:
    events.send(
        "failed", code=failure.code, param=failure.param, message=failure.message
    )
