"""The rows of a dataset, as the exact bytes that a provider will get."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db.models import Max, QuerySet

from datasets_app.chat_format import line_of
from datasets_app.models import (
    Dataset,
    DatasetVersion,
    Example,
    ReviewState,
    Split,
    VersionRow,
)
from datasets_app.services.inserting import insert_rows
from datasets_app.services.part_writer import PartWriter
from datasets_app.services.row_stream import line_columns, rows_of
from datasets_app.unnamed_files import give_name

Parts = dict[Split, PartWriter]

MANIFEST_ROWS = 10_000  # inserted at once


def freezable_examples(
    dataset: Dataset, *, approved_only: bool = False
) -> QuerySet[Example]:
    """The valid rows that are not rejected; or only those a reviewer approved."""
    valid = Example.objects.filter(dataset=dataset, is_valid=True)
    if approved_only:
        return valid.filter(state=ReviewState.APPROVED)
    return valid.exclude(state=ReviewState.REJECTED)


def versions_of(example: Example) -> QuerySet[VersionRow]:
    """The lines of versions that hold the example, the newest version first."""
    rows = VersionRow.objects.filter(example=example)
    return rows.select_related("version__dataset").order_by("-version")


@contextmanager
def written_parts(
    dataset: Dataset, *, approved_only: bool, on_piece: Callable[[int], None]
) -> Iterator[Parts]:
    """The rows of the dataset in two files without a name; they go when this ends.

    Rows are read a piece at a time: one that is changed meanwhile is in the version as
    it was before or as it is after, never half. `on_piece` is told how many rows are
    written so far. Raises OSError.
    """
    with ExitStack() as open_files:
        parts = {split: open_files.enter_context(PartWriter(split)) for split in Split}
        columns = ("split", "pk", "content_hash", "n_tokens", *line_columns(dataset))
        rows = rows_of(
            freezable_examples(dataset, approved_only=approved_only),
            *columns,
            after_piece=lambda: on_piece(sum(p.n_rows for p in parts.values())),
        )
        for split, pk, digest, n_tokens, *texts in rows:
            parts[split].add(pk, digest, n_tokens, line_of(*texts))
        for part in parts.values():
            part.finish()
        yield parts


@contextmanager
def stored_files(version: DatasetVersion, parts: Parts, name: str) -> Iterator[None]:
    """The parts in the storage, under a name of the caller's; gone after an exception.

    Raises OSError.
    """
    with ExitStack() as undo:
        for split, part in parts.items():
            if part.n_rows:
                undo.callback(_store_part(version, split, part, name))
        yield
        undo.pop_all()


def _store_part(
    version: DatasetVersion, split: Split, part: PartWriter, name: str
) -> Callable[[], None]:
    """Returns what takes the file away again."""
    prefix = "training" if split == Split.TRAIN else "validation"
    setattr(version, f"n_{prefix}_rows", part.n_rows)
    setattr(version, f"n_{prefix}_tokens", part.n_tokens)
    setattr(version, f"{prefix}_sha256", part.sha256.hexdigest())
    field_file = version.file_of(split)
    field_file.name = _name_part(field_file, part, file_name(name, split))
    return lambda: field_file.storage.delete(field_file.name)


def _name_part(field_file: Any, part: PartWriter, name: str) -> str:
    """Where the storage is a folder of the same disk, nothing is copied."""
    storage = field_file.storage
    try:
        give_name(part.file, Path(storage.path(name)))
    except (NotImplementedError, OSError):
        part.file.seek(0)
        length = field_file.field.max_length
        return str(storage.save(name, File(part.file), max_length=length))
    return name


def file_name(name: str, split: str) -> str:
    return f"versions/{name}-{split}.jsonl"


def store_version(version: DatasetVersion, parts: Parts) -> None:
    """Number and store a version and its manifest; call it in a transaction."""
    last = version.dataset.versions.aggregate(last=Max("number"))["last"]
    version.number = (last or 0) + 1
    version.save()
    manifest = chain.from_iterable(part.manifest() for part in parts.values())
    fields = ("version", "split", "line_number", "offset", "content_hash", "example")
    while rows := [(version.pk, *row) for row in islice(manifest, MANIFEST_ROWS)]:
        insert_rows(VersionRow, fields, rows)
