"""TRL's SFTTrainer, with a step of its own.

What the step does otherwise: rows are not padded but packed, logits exist only for
scored tokens, and the loss is the mean over all scored tokens of the step, however the
step is cut into passes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor
from transformers import (
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from tuning_server_app.training.batches import TOKENS_PER_PASS, pack, passes
from tuning_server_app.training.hyperparameters import Hyperparameters
from tuning_server_app.training.rows import Row
from tuning_server_app.training.scoring import Score, score_pass


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

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Add the step's gradients; the caller clips them and moves the weights."""
        model.train()
        batches = [pack(group).to(self.args.device) for group in passes(inputs["rows"])]
        n_scored = sum(len(batch.targets) for batch in batches)
        score = Score()
        for batch in batches:
            with self.compute_loss_context_manager():
                loss_sum, n_correct = score_pass(model, batch)
            self.accelerator.backward(loss_sum / n_scored)
            score.add(loss_sum, n_correct, len(batch.targets))
        self.score = score
        self.learning_rate = self._get_learning_rate()
        return torch.tensor(score.loss, device=self.args.device)


def make_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    hyperparameters: Hyperparameters,
    *,
    learning_rate: float,
    seed: int,
    folder: Path,
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
        lr_scheduler_type="linear",
        warmup_steps=0.05,
        max_grad_norm=1.0,
        weight_decay=0.0,
        seed=seed,
        use_cpu=not on_cuda,
        bf16=on_cuda,
        # Recomputing activations costs a third more work; only rows too long for one
        # pass need the memory it saves.
        gradient_checkpointing=longest > TOKENS_PER_PASS,
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
        model=model,
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
