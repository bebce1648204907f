"""The base models' tokenizers as plain files, to read chats with and no torch."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
from django.conf import settings

from open_chats.tokenizer_files import has_files, tokenizer_in
from tuning_server_app.base_models import BaseModel, folder_name
from tuning_server_app.services.hub import missing_downloads
from tuning_server_app.services.tuned_models import base_models
from tuning_server_app.trainer_process import PROJECT_ROOT
from tuning_server_app.training_files.fitting import BaseModelReader

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1
CONTEXT = "max_position_embeddings"


def begin_saving_tokenizers(folder: Path) -> list[subprocess.Popen[bytes]]:
    """Write those that are missing, each in a process of its own (about 6 s).

    Whoever needs them waits for the processes; a failure stands on their stderr.
    """
    not_here = missing_downloads()
    return [
        _begin_saving(base, folder / folder_name(base))
        for name, base in base_models().items()
        if name not in not_here and not (folder / folder_name(base)).is_dir()
    ]


def reader_of(name: str, keep_going: Callable[[], None]) -> BaseModelReader | None:
    """What reads chats as the base model does; None where its files cannot be read
    here, which the trainer will tell of.

    Args:
        keep_going: called every second while they are made (about 6 s, once); whatever
            it raises stops that.
    """
    base = base_models().get(name)
    if base is None:
        return None
    own = Path(settings.TUNING_SERVER_DIR)
    made = own / "tokenizers" / folder_name(base)
    folders = [Path(base.source), own / "base" / folder_name(base), made]
    folder = next(filter(has_files, folders), None) or _save(base, made, keep_going)
    try:
        template = tokenizer_in(folder) if folder else None
    except Exception:  # of the Rust library, and of foreign files: anything
        logger.exception("The tokenizer of %s cannot be read.", name)
        return None
    return BaseModelReader(template, _context(folder)) if folder and template else None


def _save(base: BaseModel, folder: Path, keep_going: Callable[[], None]) -> Path | None:
    process = _begin_saving(base, folder)
    try:
        while process.poll() is None:
            keep_going()
            _wait(process)
    finally:
        process.kill()
        process.wait()
    return folder if has_files(folder) else None


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _begin_saving(base: BaseModel, folder: Path) -> subprocess.Popen[bytes]:
    module = "tuning_server_app.training.save_tokenizer"
    return subprocess.Popen(  # noqa: S603 (our own module, no shell)
        [sys.executable, "-m", module, base.name, base.source, str(folder)],
        cwd=PROJECT_ROOT,
    )


def _context(folder: Path) -> int | None:
    """How many tokens the model reads, if its files say so."""
    try:
        found = orjson.loads((folder / "config.json").read_bytes()).get(CONTEXT)
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, int) else None
