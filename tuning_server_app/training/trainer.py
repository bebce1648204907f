"""TRL's SFTTrainer, with a step of its own.

What the step does otherwise: rows are not padded but packed, logits exist only for
scored tokens, and the loss is the mean over all scored tokens of the step, however the
step is cut into passes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import (
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from tuning_server_app.training.adapters import make_optimizer
from tuning_server_app.training.batches import pack, passes, tokens_at_once
from tuning_server_app.training.hyperparameters import (
    Hyperparameters,
    share_of_learning_rate,
)
from tuning_server_app.training.memory import give_back_freed
from tuning_server_app.training.rows import Row
from tuning_server_app.training.scoring import Score, score_pass
from tuning_server_app.training.workers import Workers

STEPS_PER_CLEARING = 4


@dataclass(frozen=True)
class Step:
    """One optimiser step that is done; `score` is from before the weights moved."""

    number: int
    score: Score
    learning_rate: float


class PackedRowsTrainer(SFTTrainer):
    """Keeps the score and the learning rate of the step at hand for the report."""

    score = Score()
    learning_rate = 0.0

    def __init__(self, model: PeftModel, *, workers: Workers, **settings: Any) -> None:
        super().__init__(model, **settings)
        self._adapted = model
        self._trained = [p for p in model.parameters() if p.requires_grad]
        self._workers = workers

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Set the step's gradients; the caller clips them and moves the weights."""
        model.train()
        self.learning_rate = self._get_learning_rate()
        self.score = Score()
        sums = [torch.zeros_like(parameter) for parameter in self._trained]
        groups = passes(inputs["rows"], self._workers.count, self.args.device)
        # Added in the order of the groups, so that the same seed gives the same model.
        for gradients, score in self._workers.map(self._gradients, groups):
            torch._foreach_add_(sums, gradients)
            self.score += score
        torch._foreach_div_(sums, self.score.n_tokens)
        for parameter, gradient in zip(self._trained, sums, strict=True):
            parameter.grad = gradient
        return torch.tensor(self.score.loss, device=self.args.device)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> Optimizer:
        if self.optimizer is None:
            self.optimizer = make_optimizer(self._adapted, self.args.learning_rate)
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: Optimizer | None = None
    ) -> LambdaLR:
        """Warm up, then fall in a straight line; no step is spent at a rate of 0."""
        chosen = optimizer or self.create_optimizer()
        share = partial(share_of_learning_rate, n_steps=num_training_steps)
        self.lr_scheduler = LambdaLR(chosen, share)
        return self.lr_scheduler

    def _gradients(self, group: list[Row]) -> tuple[tuple[Tensor, ...], Score]:
        batch = pack(group).to(self.args.device)
        with self.compute_loss_context_manager():
            loss_sum, score = score_pass(self._adapted, batch)
        return torch.autograd.grad(loss_sum, self._trained), score


def make_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    hyperparameters: Hyperparameters,
    *,
    learning_rate: float,
    seed: int,
    folder: Path,
    workers: Workers,
    report: Callable[[Step], None],
) -> PackedRowsTrainer:
    """A trainer that calls `report` after each optimiser step."""
    longest = max(len(row.ids) for row in rows)
    on_cuda = model.device.type == "cuda"
    config = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=hyperparameters.n_epochs,
        per_device_train_batch_size=hyperparameters.batch_size,
        learning_rate=learning_rate,
        max_grad_norm=1.0,
        weight_decay=0.0,
        seed=seed,
        use_cpu=not on_cuda,
        bf16=on_cuda,
        # Recomputing activations costs a third more work; only rows too long for the
        # memory otherwise planned for need what it saves.
        activation_checkpointing=longest > tokens_at_once(model.device),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        remove_unused_columns=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    numbers = Dataset.from_dict({"number": list(range(len(rows)))})
    trainer = PackedRowsTrainer(
        model,
        workers=workers,
        args=config,
        train_dataset=numbers,
        processing_class=tokenizer,
        data_collator=lambda items: {"rows": [rows[item["number"]] for item in items]},
    )
    trainer.add_callback(_ReportSteps(trainer, report))
    return trainer


class _ReportSteps(TrainerCallback):
    def __init__(
        self, trainer: PackedRowsTrainer, report: Callable[[Step], None]
    ) -> None:
        self._trainer = trainer
        self._report = report

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        trainer = self._trainer
        step = Step(state.global_step, trainer.score, trainer.learning_rate)
        self._report(step)
        if step.number % STEPS_PER_CLEARING == 0:
            give_back_freed()
