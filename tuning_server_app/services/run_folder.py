"""The folder that a training subprocess works in."""

import contextlib
import os
import shutil
from pathlib import Path

import orjson
from django.conf import settings

from tuning_server_app import file_store
from tuning_server_app.models import TuningJob
from tuning_server_app.services.files import files_of
from tuning_server_app.services.tuned_models import (
    base_models,
    find_weights_of,
    models_of,
    runs_folder,
)

TRAINING_FILE = "training.jsonl"
VALIDATION_FILE = "validation.jsonl"


class Unpreparable(Exception):
    """Something that the job needs is gone; the text says what."""


def name_of(job: TuningJob) -> str:
    """The folder's name below `runs_folder()`.

    Each attempt has its own: the trainer of the one before may still be dying.
    """
    return f"{job.wire_id}/attempt-{job.attempts}"


def prepare(job: TuningJob) -> Path:
    """Make the folder, in place of those of earlier attempts, and fill it.

    Raises:
        Unpreparable
        OSError: the disk is full or broken.
    """
    folder = runs_folder() / name_of(job)
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    _place_file(job, job.training_file, folder / TRAINING_FILE)
    if job.validation_file:
        _place_file(job, job.validation_file, folder / VALIDATION_FILE)
    (folder / "run.json").write_bytes(orjson.dumps(_description(job)))
    return folder


def tidy(folder: Path) -> None:
    """Take the training data out again: only the weights and the log stay."""
    for name in (TRAINING_FILE, VALIDATION_FILE):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def _description(job: TuningJob) -> dict[str, object]:
    weights = find_weights_of(job.model, models_of(job.organization))
    if weights is None:
        raise Unpreparable(
            f"The model {job.model} is no longer there: it was deleted, or taken from"
            " the server's settings. Start a new job from another model."
        )
    base = base_models()[weights.base_model]
    adapter = weights.adapter
    return {
        "base_model": {"name": base.name, "source": base.source},
        "base_cache": str(Path(settings.TUNING_SERVER_DIR) / "base"),
        "seed": job.seed,
        "method": job.method,
        "hyperparameters": job.hyperparameters,
        "start_from_adapter": str(runs_folder() / adapter) if adapter else None,
    }


def _place_file(job: TuningJob, file_id: str, target: Path) -> None:
    file = files_of(job.organization).filter(wire_id=file_id).first()
    if file is None:
        raise Unpreparable(
            f"The file {file_id} was deleted before the training began. Upload it again"
            " and start a new job."
        )
    source = file_store.path_of(file.blob)
    try:
        os.link(source, target)  # stored files never change, so no copy is needed
    except FileNotFoundError as error:
        raise Unpreparable(
            f"The content of {file_id} is gone from the server's disk. Upload it again"
            " and start a new job."
        ) from error
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
