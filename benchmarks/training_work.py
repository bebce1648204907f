"""What a training step asks of a GPU, beside TRL's SFTTrainer as it comes.

    python -m benchmarks.training_work [--batches 4 16]

Counted on the CPU, for machines without a GPU: both trainers run as they do on one
(weights and products in bfloat16, one worker, rows side by side), and every operation
is seen on its way. A small model's step takes a GPU about as long as its kernels are
many, a large one's as its products are large; a read of a value makes it wait. Needs
requirements-tuning-server.txt; takes some minutes.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import training_peers as peers
from benchmarks.training_speed import write_rows
from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.training import loading, scoring, trainer
from tuning_server_app.training.adapters import make_optimizer
from tuning_server_app.training.batches import PackedRows, pack
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.memory_budget import usual_tokens
from tuning_server_app.training.rows import Row, read_rows
from tuning_server_app.training.side_by_side import side_by_side
from tuning_server_app.training.workers import Workers

STEPS = 3
GPU = torch.device("cuda")
# These look at a tensor another way, or only take room: no kernel runs for them.
NO_KERNEL = ("detach", "_unsafe_view", "empty", "new_empty", "alias", "empty_like")
WAITS = ("_local_scalar_dense", "nonzero")
HEADS = ("kernels", "views", "waits", "Gflop", "values written", "loss")


class Counted(TorchDispatchMode):
    """Sums up operations until `taken`; also what StopWatch is to the peers."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[list[float]] = []
        self.is_optimizing = False
        self._flops = FlopCounterMode(display=False)
        self._sums = dict.fromkeys(("kernels", "views", "waits", "values"), 0.0)

    def __enter__(self) -> "Counted":
        self._flops.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._flops.__exit__(*error)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.name().removeprefix("aten::").split(".")[0]
        if func.is_view or name in NO_KERNEL:
            self._sums["views"] += 1
        elif name in WAITS:
            # The optimizer reads its count of steps, which no GPU holds.
            self._sums["waits"] += not self.is_optimizing
        else:
            self._sums["kernels"] += 1
            self._sums["values"] += _n_values(result)
        return result

    def step_ended(self, loss: float) -> None:
        sums = self._sums
        flops = self._flops.get_total_flops() / 1e9
        counts = [sums["kernels"], sums["views"], sums["waits"], flops, sums["values"]]
        self.steps.append([*counts, loss])
        self._sums = dict.fromkeys(sums, 0.0)
        self._flops.flop_counts.clear()


def _n_values(result: Any) -> int:
    found = result if isinstance(result, list | tuple) else [result]
    return sum(each.numel() for each in found if isinstance(each, torch.Tensor))


@contextlib.contextmanager
def as_on_a_gpu(counted: Counted) -> Iterator[None]:
    def packed(rows: Sequence[Row]) -> PackedRows:
        batch = pack(rows)
        groups = side_by_side(batch.row_lengths, torch.device("cpu"))
        return _Placed(**vars(replace(batch, groups=groups)))

    def optimizer(*arguments: Any) -> Optimizer:
        made = make_optimizer(*arguments)
        for group in made.param_groups:
            group["foreach"] = True  # a GPU's default: all weights at once
        made.register_step_pre_hook(lambda *_: _set(counted, is_optimizing=True))
        made.register_step_post_hook(lambda *_: _set(counted, is_optimizing=False))
        return made

    config = trainer.SFTConfig
    with (
        patch.object(loading, "weights_dtype", lambda _on: torch.bfloat16),
        patch.object(trainer, "SFTConfig", lambda **k: config(**{**k, "bf16": True})),
        patch.object(scoring, "pack", packed),
        patch.object(trainer, "make_optimizer", optimizer),
        patch.object(peers, "make_optimizer", optimizer),
        patch.object(peers, "Workers", lambda _on: Workers(GPU)),
        patch.object(peers, "usual_tokens", lambda _on: usual_tokens(GPU)),
        # Operations are seen in the thread that counts them.
        patch.object(Workers, "map", lambda _self, work, on, _n: map(work, on)),
    ):
        yield


class _Placed(PackedRows):
    """It stays where it is, and as it is."""

    def to(self, _device: torch.device) -> PackedRows:
        return self


def _set(counted: Counted, *, is_optimizing: bool) -> None:
    counted.is_optimizing = is_optimizing


def count(train: Callable[..., None], folder: Path, batch: int) -> list[float]:
    """The medians of all steps but the first, which makes ready what others reuse."""
    base = ensure_ready(SMOLLM2, folder)
    tokenizer = loading.load_tokenizer(base)
    file = write_rows(folder / "rows.jsonl")
    rows = list(read_rows(file, tokenizer, max_tokens=8192, param="rows"))
    many = (rows * (1 + STEPS * batch // len(rows)))[: STEPS * batch]
    counted = Counted()
    peers.set_seed(peers.SEED)
    with as_on_a_gpu(counted), counted:
        train(base, tokenizer, many, batch, counted)
    return [
        statistics.median(column) for column in zip(*counted.steps[1:], strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 16])
    sys.stdout.write(f"{'':<16}" + "".join(f"{head:>16}" for head in HEADS) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        for batch in parser.parse_args().batches:
            theirs = count(peers.train_plainly, Path(folder), batch)
            ours = count(peers.train_ours, Path(folder), batch)
            _print(f"SFTTrainer, {batch}", theirs)
            _print(f"ours, {batch}", ours)
            shares = zip(ours[:-1], theirs[:-1], strict=True)
            _print("ours / theirs", [own / other for own, other in shares])


def _print(name: str, figures: Sequence[float]) -> None:
    line = "".join(f"{figure:>16,.4g}" for figure in figures)
    sys.stdout.write(f"{name:<16}{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
