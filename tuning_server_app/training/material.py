"""All that a run works with, read and made ready before its first step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from tuning_server_app.base_models import BaseModelMissing
from tuning_server_app.training import packed_attention
from tuning_server_app.training.adapters import continue_adapter, new_adapter
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.events import Events
from tuning_server_app.training.failures import BASE_MODEL_UNAVAILABLE, RunFailed
from tuning_server_app.training.hyperparameters import (
    BETA,
    DPO,
    Hyperparameters,
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
from tuning_server_app.training.memory_budget import MemoryBudget, usual_tokens
from tuning_server_app.training.preferences import (
    Preferences,
    read_pairs,
    with_margins,
)
from tuning_server_app.training.rows import read_rows
from tuning_server_app.training.run_config import RunConfig
from tuning_server_app.training.scoring import Answers, Objective
from tuning_server_app.training.workers import Workers

# Of Row or of Pair, as the method wants.
Examples = Sequence[Any]


@dataclass(frozen=True)
class Material:
    """A model with an adapter to train, and what it learns from."""

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    examples: Examples
    validation: Examples
    hyperparameters: Hyperparameters
    objective: Objective
    budget: MemoryBudget

    @property
    def n_tokens(self) -> int:
        return sum(example.n_trained for example in self.examples)

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(self.hyperparameters, len(self.examples))

    @property
    def total_steps(self) -> int:
        return total_steps(self.hyperparameters, len(self.examples))


def load_material(
    config: RunConfig, tokens_at_once: int | None, events: Events
) -> Material:
    """Read model and files.

    Args:
        tokens_at_once: as many fitted in memory in an earlier run of the same job.

    Raises:
        RunFailed: something of it is unfit; the text says what.
    """
    events.progress("Loading the base model")
    model, tokenizer = _load_base(config)
    events.progress("Reading the training file")
    read = partial(_read, config=config, model=model, tokenizer=tokenizer)
    examples = read(config.training_file, "training_file", tell=events.progress)
    validation: Examples = []
    if config.validation_file is not None:
        validation = read(
            config.validation_file, "validation_file", tell=events.progress
        )
    hyperparameters = resolve(
        config.hyperparameters,
        n_rows=len(examples),
        n_tokens=sum(example.n_tokens for example in examples),
        method=config.method,
    )
    adapted = _with_adapter(model, config)
    budget = _budget(adapted, config, tokens_at_once, events)
    material = Material(
        adapted,
        tokenizer,
        examples,
        validation,
        hyperparameters,
        Answers(),
        budget,
    )
    _tell(material, base_learning_rate(config.base_model, config.method), events)
    return _compared(material) if config.method == DPO else material


def _load_base(config: RunConfig) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        folder = ensure_ready(config.base_model, config.base_cache)
    except BaseModelMissing as error:
        raise RunFailed(BASE_MODEL_UNAVAILABLE, str(error)) from error
    model = load_model(folder, attention=packed_attention.PACKED)
    return model, load_tokenizer(folder)


def _read(
    path: Path,
    param: str,
    *,
    config: RunConfig,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tell: Callable[[str], None],
) -> Examples:
    read: Any = read_pairs if config.method == DPO else read_rows
    found: Examples = read(
        path, tokenizer, max_tokens=context_length(model), param=param, tell=tell
    )
    return found


def _with_adapter(model: PreTrainedModel, config: RunConfig) -> PeftModel:
    set_seed(config.seed)  # a new adapter begins with random numbers
    if config.start_from_adapter is None:
        return new_adapter(model)
    return continue_adapter(model, config.start_from_adapter)


def _budget(
    model: PeftModel, config: RunConfig, tokens_at_once: int | None, events: Events
) -> MemoryBudget:
    usual = max(1, usual_tokens(model.device) >> config.n_halvings)
    return MemoryBudget(
        Workers(model.device), min(usual, tokens_at_once or usual), events.warning
    )


def _tell(material: Material, learning_rate: float, events: Events) -> None:
    events.send(
        "resolved",
        hyperparameters=material.hyperparameters.as_dict(),
        base_learning_rate=learning_rate,
        n_rows=len(material.examples),
        n_tokens=material.n_tokens,
        total_steps=material.total_steps,
    )


def _compared(material: Material) -> Material:
    """For preferences: what the model thinks of both answers before it is trained."""
    model, budget = material.model, material.budget
    return replace(
        material,
        examples=with_margins(model, material.examples, budget, model.device),
        validation=with_margins(model, material.validation, budget, model.device),
        objective=Preferences(material.hyperparameters.beta or BETA),
    )
