"""An adapter merged into its base: a model that needs neither PEFT nor this server.

python -m tuning_server_app.training.merge NAME SOURCE CACHE ADAPTER TARGET

Reports on stdout how it ended; on the CPU, so that no training loses its device.
"""

import argparse
import importlib
import logging
import shutil
import sys
from pathlib import Path

from tuning_server_app.base_models import BaseModel, BaseModelMissing
from tuning_server_app.training import lifeline
from tuning_server_app.training.events import Events, take_stdout

# The merged model, and the archive that is made of it.
COPIES = 2


class NoRoom(Exception):
    """The disk cannot take the merged model."""


def merge(base: BaseModel, cache: Path, adapter: Path, target: Path) -> None:
    """Write config, safetensors and tokenizer to the folder `target`.

    Raises:
        BaseModelMissing, NoRoom, OSError
    """
    # torch and its friends take seconds to load: after `lifeline.hold`, as in a run.
    convert = importlib.import_module("tuning_server_app.training.convert")
    loading = importlib.import_module("tuning_server_app.training.loading")
    peft = importlib.import_module("peft")
    folder = convert.ensure_ready(base, cache)
    _check_room(folder, target)
    model = loading.load_as_stored(folder)
    adapted = peft.PeftModel.from_pretrained(model, adapter, local_files_only=True)
    merged = adapted.merge_and_unload(safe_merge=True)
    merged.config.name_or_path = base.name  # not where it lies on this machine
    merged.save_pretrained(target)
    loading.load_tokenizer(folder).save_pretrained(target)


def _check_room(base: Path, target: Path) -> None:
    needed = COPIES * sum(file.stat().st_size for file in base.glob("*.safetensors"))
    free = shutil.disk_usage(target).free
    if free < needed:
        raise NoRoom(
            f"The server's disk has {free / 1e9:.1f} GB free, and merging needs"
            f" {needed / 1e9:.1f} GB. Free some, then ask for the file again."
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("name", "source"):
        parser.add_argument(name)
    for name in ("cache", "adapter", "target"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    lifeline.hold()
    events = take_stdout()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    return _report(events, arguments)


def _report(events: Events, arguments: argparse.Namespace) -> int:
    base = BaseModel(arguments.name, arguments.source)
    try:
        merge(base, arguments.cache, arguments.adapter, arguments.target)
    except (BaseModelMissing, NoRoom) as error:
        events.send("failed", message=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
