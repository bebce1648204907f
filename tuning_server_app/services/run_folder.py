"""The folder that a training subprocess works in."""

import contextlib
import os
import shutil
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import orjson
from django.conf import settings
from django.utils.timezone import now

from tuning_server_app import file_store
from tuning_server_app.models import TuningJob
from tuning_server_app.run_files import (
    CHECKPOINTS,
    CONFIG,
    STATES,
    TRAINING_FILE,
    VALIDATION_FILE,
    newest_state,
    step_of,
)
from tuning_server_app.services.files import files_of
from tuning_server_app.services.tuned_models import (
    base_models,
    find_weights_of,
    models_of,
    runs_folder,
)

ENDED_LATELY = timedelta(hours=1)


class Unpreparable(Exception):
    """Something that the job needs is gone; the text says what."""


def name_of(job: TuningJob) -> str:
    """The folder's name below `runs_folder()`.

    Each attempt has its own: the trainer of the one before may still be dying.
    """
    return f"{job.wire_id}/attempt-{job.attempts}"


def prepare(job: TuningJob) -> Path:
    """Make the folder and fill it, with the state that an earlier attempt saved, too.

    Raises:
        Unpreparable
        OSError: the disk is full or broken.
    """
    folder = runs_folder() / name_of(job)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    _place_file(job, job.training_file, folder / TRAINING_FILE)
    if job.validation_file:
        _place_file(job, job.validation_file, folder / VALIDATION_FILE)
    (folder / CONFIG).write_bytes(orjson.dumps(_description(job)))
    _take_over_state(folder)
    clear(job, keep=folder)
    return folder


def tidy(folder: Path) -> None:
    """Take the training data out again."""
    for name in (TRAINING_FILE, VALIDATION_FILE):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def clear(job: TuningJob, keep: Path | None = None) -> None:
    """Delete what nobody needs any more: all but logs, and weights that have a name.

    Args:
        keep: the folder of the attempt at work.
    """
    named = set(job.tuned_models.values_list("adapter", flat=True))
    for attempt in (runs_folder() / job.wire_id).glob("attempt-*"):
        if attempt == keep:
            continue
        tidy(attempt)  # whoever worked there may have been killed
        shutil.rmtree(attempt / STATES, ignore_errors=True)
        for weights in (attempt / CHECKPOINTS).glob("*"):
            if weights.relative_to(runs_folder()).as_posix() not in named:
                shutil.rmtree(weights, ignore_errors=True)


def clear_ended_runs() -> None:
    """States of jobs that ended lately, wherever: a cancelled one may have no trainer
    to do it."""
    ended = TuningJob.objects.filter(finished_at__gt=now() - ENDED_LATELY)
    for job in ended.filter(attempts__gt=0):
        clear(job)


def _take_over_state(folder: Path) -> None:
    """Link the newest state of the attempts before: files of a state never change.

    The trainer of such an attempt may live a little longer, and replace its state by a
    newer one in this very moment: what was linked meanwhile may lack files.
    """
    while newest := _newest_before(folder):
        target = folder / STATES / newest.name
        try:
            shutil.copytree(newest, target, copy_function=_link)
        except OSError:
            if _newest_before(folder) == newest:
                raise
        if _newest_before(folder) == newest:
            return
        shutil.rmtree(target, ignore_errors=True)


def _newest_before(folder: Path) -> Path | None:
    attempts = (each for each in folder.parent.glob("attempt-*") if each != folder)
    states = filter(None, map(newest_state, attempts))
    return max(states, key=step_of, default=None)


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
        "base_model": asdict(base),
        "base_cache": str(Path(settings.TUNING_SERVER_DIR) / "base"),
        "seed": job.seed,
        "method": job.method,
        "hyperparameters": job.hyperparameters,
        "start_from_adapter": str(runs_folder() / adapter) if adapter else None,
        # Most losses come from a lack of memory, which kills without a word.
        "n_halvings": job.n_lost,
    }


def _place_file(job: TuningJob, file_id: str, target: Path) -> None:
    file = files_of(job.organization).filter(wire_id=file_id).first()
    if file is None:
        raise Unpreparable(
            f"The file {file_id} was deleted before the training began. Upload it again"
            " and start a new job."
        )
    try:
        _link(file_store.path_of(file.blob), target)
    except FileNotFoundError as error:
        raise Unpreparable(
            f"The content of {file_id} is gone from the server's disk. Upload it again"
            " and start a new job."
        ) from error


def _link(source: Path | str, target: Path | str) -> None:
    """A second name for a file that never changes, so no copy is needed."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
