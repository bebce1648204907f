"""A new dataset from a frozen version: its files are imported like any others."""

from pathlib import Path
from typing import Any

from django.db import transaction

from datasets_app.models import Dataset, DatasetVersion, ImportRun, OnDuplicate, Split
from datasets_app.models.imports import import_path
from datasets_app.services.datasets import create_dataset
from datasets_app.services.errors import StorageFull
from datasets_app.services.exports import FROZEN_AS


@transaction.atomic
def copy_version(
    version: DatasetVersion, *, name: str, by: Any
) -> tuple[Dataset, list[ImportRun]]:
    """A dataset in the same team, and the imports for a worker to fill it with.

    Raises:
        ValidationError: the team has a dataset so named.
        StorageFull: the files could not be written.
    """
    source = version.dataset
    dataset = create_dataset(team=source.team, name=name, by=by)
    dataset.method, dataset.base_model = source.method, source.base_model
    dataset.description = source.description
    dataset.save()
    parts = [split for split in Split if version.file_of(split)]
    return dataset, [_import_of(version, split, dataset, by) for split in parts]


def _import_of(
    version: DatasetVersion, split: Split, dataset: Dataset, by: Any
) -> ImportRun:
    run = ImportRun(
        dataset=dataset,
        file_name=f"{version.dataset.name} v{version.number}.{split}.jsonl"[-255:],
        format=FROZEN_AS[dataset.method],
        split=split,
        on_duplicate=OnDuplicate.ADD,  # a version may hold a row twice on purpose
        created_by=by,
    )
    try:
        run.file.name = _second_name(version.file_of(split), import_path(run, ""))
    except OSError as exc:
        raise StorageFull.because(exc) from exc
    run.n_total = run.file.size
    run.save()
    return run


def _second_name(file: Any, name: str) -> str:
    """The same bytes under another name, so that either can go without the other.

    Where the disk lets a file have two names, nothing is copied.
    """
    storage = file.storage
    try:
        target = Path(storage.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(storage.path(file.name))
    except (NotImplementedError, OSError):
        with file.open("rb") as opened:
            return str(storage.save(name, opened))
    return name
