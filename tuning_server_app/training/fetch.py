"""A base model from the Hugging Face hub: weights and tokenizer, and no code.

python -m tuning_server_app.training.fetch REPOSITORY FOLDER [--file F] [--revision R]

The hub's own variables hold: HF_TOKEN for models behind a gate, HF_ENDPOINT for a
mirror.
"""

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Read when the hub's library is first imported; everything else here stays offline.
os.environ["HF_HUB_OFFLINE"] = "0"

SAFETENSORS = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model"]
# The same weights once more, in forms that nothing here reads.
LEFT_OUT = ["original/*", "onnx/*", "consolidated*"]


def fetch(
    repository: str, folder: Path, *, file: str | None, revision: str | None
) -> None:
    """Download into the folder: whoever finds it finds it whole."""
    hub = importlib.import_module("huggingface_hub")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        hub.snapshot_download(
            repository,
            revision=revision,
            local_dir=unfinished,
            allow_patterns=[file] if file else SAFETENSORS,
            ignore_patterns=None if file else LEFT_OUT,
        )
        shutil.rmtree(unfinished / ".cache", ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--file")
    parser.add_argument("--revision")
    fetch(**vars(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
