"""A base model as a folder of safetensors, which loads in under a second.

python -m tuning_server_app.training.convert NAME SOURCE CACHE_FOLDER
"""

import argparse
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuning_server_app.base_models import BaseModel, find_weights, folder_name


def ensure_ready(base: BaseModel, cache: Path) -> Path:
    """The folder to load the model from; converted into `cache` the first time.

    Two processes may call this at once: one converts, the other waits for it. A
    conversion that dies leaves only a temporary folder, which the next one removes.
    """
    weights = find_weights(base)
    if weights.is_dir():
        return weights
    ready = cache / folder_name(base)
    if ready.is_dir():
        return ready
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{folder_name(base)}.lock"):
        if not ready.is_dir():
            _convert(weights, ready)
    return ready


def _convert(gguf: Path, ready: Path) -> None:
    for abandoned in ready.parent.glob(f".{ready.name}-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{ready.name}-", dir=ready.parent))
    _write_safetensors(gguf, unfinished)
    unfinished.replace(ready)


def _write_safetensors(gguf: Path, folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, local_files_only=True
    )
    # transformers counts the model as quantized although its weights are float32 now,
    # and would refuse to load what it saves.
    setattr(model, "hf_quantizer", None)  # noqa: B010, no declared attribute
    del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True
    )
    tokenizer.save_pretrained(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the system frees it however the process ends."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("source")
    parser.add_argument("cache", type=Path)
    arguments = parser.parse_args()
    ensure_ready(BaseModel(arguments.name, arguments.source), arguments.cache)


if __name__ == "__main__":
    main()
