"""TRL's SFTTrainer, with a step of its own.

What the step does otherwise: rows are not padded but packed, logits exist only for
scored tokens, and the loss is the mean over all that is scored in the step, however the
step is cut into passes and shared among processes.
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
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerBase
from transformers.trainer import TRAINER_STATE_NAME
from trl import SFTConfig, SFTTrainer

from tuning_server_app.training import processes
from tuning_server_app.training.adapters import make_optimizer
from tuning_server_app.training.batches import Sized
from tuning_server_app.training.epochs import EpochBatches
from tuning_server_app.training.hyperparameters import (
    Hyperparameters,
    share_of_learning_rate,
)
from tuning_server_app.training.memory_budget import MemoryBudget, usual_tokens
from tuning_server_app.training.rank import IS_FIRST
from tuning_server_app.training.scoring import Objective, Score, summed


@dataclass(frozen=True)
class Step:
    """One optimiser step that is done; `score` is from before the weights moved."""

    number: int
    score: Score
    learning_rate: float


Gradients = list[Tensor]


class PackedRowsTrainer(SFTTrainer):
    """Keeps the score and the learning rate of the step at hand for the report."""

    score = Score()
    learning_rate = 0.0

    def __init__(
        self,
        model: PeftModel,
        *,
        examples: Sequence[Sized],
        objective: Objective,
        budget: MemoryBudget,
        save_state: Callable[[int, Callable[[Path], None]], None],
        **settings: Any,
    ) -> None:
        self._numbers = Dataset.from_dict({"number": list(range(len(examples)))})
        super().__init__(model, train_dataset=self._numbers, **settings)
        self._adapted = model
        self._trained = [p for p in model.parameters() if p.requires_grad]
        self._examples = examples
        self._objective = objective
        self._budget = budget
        self._save_state = save_state

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Every process gets all examples of a step: it shares them out itself."""
        batches = EpochBatches(
            len(self._examples),
            self.args.per_device_train_batch_size,
            seed=self.args.seed,
            steps_done=lambda: self.state.global_step,
        )
        return DataLoader(
            self._numbers,
            batch_sampler=batches,
            collate_fn=lambda items: {
                "examples": [self._examples[item["number"]] for item in items]
            },
        )

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Set the step's gradients; the caller clips them and moves the weights."""
        model.train()
        self.learning_rate = self._get_learning_rate()
        own = processes.own_share(inputs["examples"])
        gradients, score = self._budget.total(own, self._pass, self._nothing, _added)
        processes.add_up(gradients)
        self.score = summed(score, self.args.device)
        torch._foreach_div_(gradients, self.score.n_scored)
        for parameter, gradient in zip(self._trained, gradients, strict=True):
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

    def _pass(self, group: list[Any]) -> tuple[Gradients, Score]:
        with self.compute_loss_context_manager():
            loss_sum, score = self._objective.score_pass(
                self._adapted, group, self.args.device
            )
        return list(torch.autograd.grad(loss_sum, self._trained)), score

    def _nothing(self) -> tuple[Gradients, Score]:
        return [torch.zeros_like(parameter) for parameter in self._trained], Score()

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save the run's state: transformers calls this where a callback set
        `should_save`."""
        if IS_FIRST:
            self._save_state(self.state.global_step, self._write_state)

    def _write_state(self, folder: Path) -> None:
        self._adapted.save_pretrained(str(folder))
        self._save_optimizer_and_scheduler(str(folder))
        self._save_rng_state(str(folder))
        self.state.save_to_json(str(folder / TRAINER_STATE_NAME))


def _added(
    so_far: tuple[Gradients, Score], result: tuple[Gradients, Score]
) -> tuple[Gradients, Score]:
    torch._foreach_add_(so_far[0], result[0])
    return so_far[0], so_far[1] + result[1]


def make_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Sized],
    hyperparameters: Hyperparameters,
    *,
    learning_rate: float,
    seed: int,
    folder: Path,
    **own: Any,
) -> PackedRowsTrainer:
    """A trainer for the examples; `own` are PackedRowsTrainer's own arguments."""
    on_cuda = model.device.type == "cuda"
    longest = max(example.n_tokens for example in examples)
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
        activation_checkpointing=longest > usual_tokens(model.device),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        remove_unused_columns=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    # On several GPUs there is a process for each, or only the first is used: never the
    # old way of one process copying the model to all of them.
    config._n_gpu = min(config.n_gpu, 1)
    return PackedRowsTrainer(
        model, examples=examples, args=config, processing_class=tokenizer, **own
    )
