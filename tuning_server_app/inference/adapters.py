"""LoRA adapters beside the frozen weights: each row of a batch with its own.

PEFT wraps every layer of the model for each adapter it loads, and needs as long for a
switch; here an adapter is two matrices per layer that are added where a row wants them.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from peft import LoraConfig
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

WEIGHTS_FILE = "adapter_model.safetensors"
KEPT_BYTES = 512 * 1024 * 1024  # some 25 of SmolLM2-135M's
PREFIX = "base_model.model."
DOWN, UP = ".lora_A.weight", ".lora_B.weight"


class AdapterUnusable(Exception):
    """An adapter's files are not what this base model can answer with."""


@dataclass(frozen=True, eq=False)
class Adapter:
    """By the linear layer's name: A (rank, inputs) and B (outputs, rank), B scaled."""

    layers: Mapping[str, tuple[Tensor, Tensor]]

    @property
    def n_bytes(self) -> int:
        parts = (tensor for pair in self.layers.values() for tensor in pair)
        return sum(tensor.numel() * tensor.element_size() for tensor in parts)


class Adapters:
    """The adapters asked for lately, as many as memory is set aside for.

    A row keeps the adapter it began with, so any may be dropped at any time.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._shapes = {name: layer.weight.shape for name, layer in _linears(model)}
        self._device = model.device
        self._kept: OrderedDict[tuple[Path, int], Adapter] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> Adapter:
        """The adapter as it is now on disk.

        Raises:
            AdapterUnusable
        """
        with self._lock:
            try:
                key = folder, (folder / WEIGHTS_FILE).stat().st_mtime_ns
                adapter = self._kept.get(key) or self._read(folder)
            except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
                raise AdapterUnusable(f"it cannot be read: {error}") from error
            self._kept[key] = adapter
            self._kept.move_to_end(key)
            self._drop_the_oldest()
            return adapter

    @property
    def n_kept(self) -> int:
        return len(self._kept)

    def _drop_the_oldest(self) -> None:
        kept_bytes = sum(adapter.n_bytes for adapter in self._kept.values())
        while kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            kept_bytes -= self._kept.popitem(last=False)[1].n_bytes

    def _read(self, folder: Path) -> Adapter:
        scale = _scale(LoraConfig.from_pretrained(str(folder)))
        weights = load_file(folder / WEIGHTS_FILE, device=str(self._device))
        names = {name.removesuffix(DOWN) for name in weights if name.endswith(DOWN)}
        if len(weights) != 2 * len(names):
            raise AdapterUnusable("it holds more than LoRA's two matrices per layer")
        layers = {
            name.removeprefix(PREFIX): (weights[name + DOWN], weights[name + UP])
            for name in names
        }
        for name, pair in layers.items():
            self._check_shapes(name, *pair)
        return Adapter({name: (a, b * scale) for name, (a, b) in layers.items()})

    def _check_shapes(self, name: str, down: Tensor, up: Tensor) -> None:
        shape = up.shape[0], down.shape[1]
        if shape != self._shapes.get(name) or up.shape[1] != down.shape[0]:
            raise AdapterUnusable(
                f"its layer {name} of {tuple(shape)} does not fit the base model"
            )


class AdapterRows:
    """Adds to each linear layer's output what the rows' adapters say."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._groups: list[tuple[slice, Adapter]] = []
        for name, layer in _linears(model):
            layer.register_forward_hook(partial(self._add, name))

    @contextmanager
    def used(self, adapters: Sequence[Adapter | None]) -> Iterator[None]:
        """Within, row after row of a batch answers with its adapter, or as the base."""
        self._groups = list(_groups(adapters))
        try:
            yield
        finally:
            self._groups = []

    def _add(
        self, name: str, _layer: nn.Module, args: tuple[Tensor, ...], output: Tensor
    ) -> None:
        for rows, adapter in self._groups:
            if name in adapter.layers:
                down, up = adapter.layers[name]
                inputs = args[0][rows].to(down.dtype)
                output[rows] += linear(linear(inputs, down), up)


def _groups(adapters: Sequence[Adapter | None]) -> Iterator[tuple[slice, Adapter]]:
    """Neighbours with the same adapter, as one slice."""
    begin = 0
    for adapter, rows in groupby(adapters):
        end = begin + len(list(rows))
        if adapter is not None:
            yield slice(begin, end), adapter
        begin = end


def _linears(model: PreTrainedModel) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            yield name, module


def _scale(config: LoraConfig) -> float:
    unknown = ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save")
    found = [name for name in unknown if getattr(config, name)]
    if found or config.bias != "none":
        raise AdapterUnusable(
            f"it is more than plain LoRA: {', '.join(found) or 'bias'}"
        )
    rank = math.sqrt(config.r) if config.use_rslora else config.r
    return float(config.lora_alpha / rank)
