"""A base model's tokenizer as files that need no torch to be read, and its config.

python -m tuning_server_app.training.save_tokenizer NAME SOURCE FOLDER
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from tuning_server_app.base_models import BaseModel, find_weights


def save_tokenizer(base: BaseModel, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json, chat_template.jinja and config.json.

    All of them at once: whoever finds the folder finds it whole.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        weights = find_weights(base)
        _read(AutoTokenizer, weights).save_pretrained(unfinished)
        _read(AutoConfig, weights).save_pretrained(unfinished)
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _read(kind: Any, weights: Path) -> Any:
    options = {"local_files_only": True, "trust_remote_code": False}
    if weights.is_dir():
        return kind.from_pretrained(weights, **options)
    return kind.from_pretrained(weights.parent, gguf_file=weights.name, **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    save_tokenizer(BaseModel(arguments.name, arguments.source), arguments.folder)


if __name__ == "__main__":
    main()
