"""One of the trainers that training_speed compares; prints a line of JSON.

python -m benchmarks.training_peers {SFTTrainer,ours} ROWS STEPS BATCH CACHE
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from trl import SFTConfig, SFTTrainer

from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.training.adapters import new_adapter
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.hyperparameters import Hyperparameters
from tuning_server_app.training.loading import load_model, load_tokenizer
from tuning_server_app.training.packed_attention import PACKED
from tuning_server_app.training.rows import Row, read_rows
from tuning_server_app.training.trainer import Step, make_trainer
from tuning_server_app.training.workers import Workers

LEARNING_RATE = 1e-3
WARM_UP_STEPS = 2
SEED = 7


class StopWatch:
    """Tokens a second over the steps after the warm-up, and the mean loss of all."""

    def __init__(self, n_tokens_per_step: float) -> None:
        self._n_tokens_per_step = n_tokens_per_step
        self._times: list[tuple[float, float]] = []
        self._losses: list[float] = []

    def step_ended(self, loss: float) -> None:
        self._times.append((time.perf_counter(), time.process_time()))
        self._losses.append(loss)

    def figures(self) -> dict[str, float]:
        first, last = self._times[WARM_UP_STEPS - 1], self._times[-1]
        n_tokens = self._n_tokens_per_step * (len(self._times) - WARM_UP_STEPS)
        return {
            "per_second": n_tokens / (last[0] - first[0]),
            "per_cpu_second": n_tokens / (last[1] - first[1]),
            "loss": sum(self._losses) / len(self._losses),
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
    """SFTTrainer with its own defaults, on the tokens and labels that ours has."""
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
        SFTTrainer(
            model=new_adapter(load_model(base)),
            args=config,
            train_dataset=Dataset.from_list(examples),
            processing_class=tokenizer,
            callbacks=[_Watched(watch)],
        ).train()


def train_ours(
    base: Path, tokenizer: Any, rows: Sequence[Row], batch: int, watch: StopWatch
) -> None:
    def report(step: Step) -> None:
        watch.step_ended(step.score.loss)

    model = new_adapter(load_model(base, attention=PACKED))
    with tempfile.TemporaryDirectory() as folder:
        make_trainer(
            model,
            tokenizer,
            rows,
            Hyperparameters(n_epochs=1, batch_size=batch, learning_rate_multiplier=1),
            learning_rate=LEARNING_RATE,
            seed=SEED,
            folder=Path(folder),
            workers=Workers(model.device),
            report=report,
        ).train()


def main() -> None:
    peer, file, steps, batch, cache = sys.argv[1:]
    base = ensure_ready(SMOLLM2, Path(cache))
    tokenizer = load_tokenizer(base)
    rows = read_rows(Path(file), tokenizer, max_tokens=8192, param="rows")
    rows = rows[: int(steps) * int(batch)]
    watch = StopWatch(sum(len(row.ids) for row in rows) / len(rows) * int(batch))
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
