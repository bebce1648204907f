"""One of the trainers that training_speed compares; prints a line of JSON.

python -m benchmarks.training_peers PEER ROWS STEPS BATCH CACHE
PEER: peak (of matrix products), SFTTrainer, float32, ours
"""

import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers import (
    AutoConfig,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from trl import SFTConfig, SFTTrainer

from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.training.adapters import make_optimizer, new_adapter
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.hyperparameters import (
    Hyperparameters,
    share_of_learning_rate,
)
from tuning_server_app.training.loading import device, load_model, load_tokenizer
from tuning_server_app.training.memory_budget import MemoryBudget, usual_tokens
from tuning_server_app.training.packed_attention import PACKED
from tuning_server_app.training.rows import Row, read_rows
from tuning_server_app.training.scoring import Answers
from tuning_server_app.training.trainer import PackedRowsTrainer, make_trainer
from tuning_server_app.training.workers import Workers

LEARNING_RATE = 1e-3
WARM_UP_STEPS = 2
SIDE, PRODUCTS = 1536, 12  # of the matrices that the peak is measured with
SEED = 7


class StopWatch:
    """Tokens a second over the steps after the warm-up; the losses of the first steps
    and of the last ones."""

    def __init__(self, n_tokens_per_step: float, flops_per_token: float) -> None:
        self._n_tokens_per_step = n_tokens_per_step
        self._flops_per_token = flops_per_token
        self._times: list[tuple[float, float]] = []
        self._losses: list[float] = []

    def step_ended(self, loss: float) -> None:
        self._times.append((time.perf_counter(), time.process_time()))
        self._losses.append(loss)

    def figures(self) -> dict[str, float]:
        first, last = self._times[WARM_UP_STEPS - 1], self._times[-1]
        n_tokens = self._n_tokens_per_step * (len(self._times) - WARM_UP_STEPS)
        per_second = n_tokens / (last[0] - first[0])
        half = len(self._losses) // 2
        return {
            "per_second": per_second,
            "per_cpu_second": n_tokens / (last[1] - first[1]),
            "flops": per_second * self._flops_per_token,
            "first_loss": statistics.mean(self._losses[:half]),
            "last_loss": statistics.mean(self._losses[half:]),
        }


class _Watched(TrainerCallback):
    def __init__(self, watch: StopWatch) -> None:
        self._watch = watch

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **rest: Any,
    ) -> None:
        if "loss" in rest["logs"]:
            self._watch.step_ended(float(rest["logs"]["loss"]))


def train_plainly(
    base: Path,
    tokenizer: Any,
    rows: Sequence[Row],
    batch: int,
    watch: StopWatch,
    **settings: Any,
) -> None:
    """SFTTrainer with its own defaults, on the tokens and labels that ours has; with
    our optimizer and schedule, so that the losses can be compared."""
    examples = [
        {
            "input_ids": row.ids,
            "labels": [
                token if scored else -100
                for token, scored in zip(row.ids, row.is_scored, strict=True)
            ],
        }
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            learning_rate=LEARNING_RATE,
            seed=SEED,
            save_strategy="no",
            logging_steps=1,
            report_to="none",
            use_cpu=not torch.cuda.is_available(),  # it refuses to start otherwise
            **settings,
        )
        model = new_adapter(load_model(base))
        optimizer = make_optimizer(model, LEARNING_RATE)
        n_steps = math.ceil(len(rows) / batch)
        share = partial(share_of_learning_rate, n_steps=n_steps)
        SFTTrainer(
            model=model,
            optimizers=(optimizer, LambdaLR(optimizer, share)),
            args=config,
            train_dataset=Dataset.from_list(examples),
            processing_class=tokenizer,
            callbacks=[_Watched(watch)],
        ).train()


def train_ours(
    base: Path, tokenizer: Any, rows: Sequence[Row], batch: int, watch: StopWatch
) -> None:
    model = new_adapter(load_model(base, attention=PACKED))
    workers = Workers(model.device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(
            model,
            tokenizer,
            rows,
            Hyperparameters(n_epochs=1, batch_size=batch, learning_rate_multiplier=1),
            learning_rate=LEARNING_RATE,
            seed=SEED,
            folder=Path(folder),
            objective=Answers(),
            budget=MemoryBudget(workers, usual_tokens(model.device), print),
            save_state=lambda _step, _write: None,
        )
        trainer.add_callback(_OurSteps(trainer, watch))
        trainer.train()


class _OurSteps(TrainerCallback):
    def __init__(self, trainer: PackedRowsTrainer, watch: StopWatch) -> None:
        self._trainer = trainer
        self._watch = watch

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **rest: Any,
    ) -> None:
        self._watch.step_ended(self._trainer.score.loss)


def flops_per_token(base: Path, rows: Sequence[Row]) -> float:
    """Multiplications and additions that cannot be left out, averaged over the rows.

    Two for each weight on the way forward, two back to what came before it. The frozen
    weights need no gradients, and the output layer works for scored tokens only.
    """
    config = AutoConfig.from_pretrained(base)
    model = load_model(base)
    head = config.vocab_size * config.hidden_size
    body = sum(p.numel() for p in model.parameters()) - head
    n_scored = sum(sum(row.is_scored[1:]) for row in rows)
    return 4 * (body + head * n_scored / sum(len(row.ids) for row in rows))


def matrix_peak() -> float:
    """Operations a second of large float32 products: on a CPU, one for each core at
    once, as our workers have it."""
    on = device()
    workers = Workers(on)
    dtype = torch.bfloat16 if on.type == "cuda" else torch.float32
    left, right = (torch.rand(SIDE, SIDE, device=on, dtype=dtype) for _ in range(2))

    def multiply(_: int) -> Tensor:
        for _ in range(PRODUCTS):
            product = left @ right
        return product[0, 0].cpu()

    list(workers.map(multiply, range(workers.count), workers.count))
    began = time.perf_counter()
    list(workers.map(multiply, range(workers.count), workers.count))
    seconds = time.perf_counter() - began
    return workers.count * PRODUCTS * 2 * SIDE**3 / seconds


def main() -> None:
    peer, file, steps, batch, cache = sys.argv[1:]
    if peer == "peak":
        sys.stdout.write(json.dumps({"flops": matrix_peak()}) + "\n")
        return
    base = ensure_ready(SMOLLM2, Path(cache))
    tokenizer = load_tokenizer(base)
    rows = read_rows(Path(file), tokenizer, max_tokens=8192, param="rows")
    rows = rows[: int(steps) * int(batch)]
    n_tokens = sum(len(row.ids) for row in rows)
    watch = StopWatch(n_tokens / len(rows) * int(batch), flops_per_token(base, rows))
    set_seed(SEED)
    trainers: dict[str, Callable[..., None]] = {
        "SFTTrainer": train_plainly,
        "float32": partial(train_plainly, bf16=False),
        "ours": train_ours,
    }
    trainers[peer](base, tokenizer, rows, int(batch), watch)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({**watch.figures(), "peak_mb": peak_mb}) + "\n")


if __name__ == "__main__":
    main()
