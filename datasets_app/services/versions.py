"""Freezing: the rows of a dataset, as the exact bytes that a provider will get."""

import hashlib
import tempfile
from array import array
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Max, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from datasets_app.chat_format import OUTPUT_KEYS, line_of
from datasets_app.models import (
    Dataset,
    DatasetVersion,
    Example,
    Method,
    ReviewState,
    Split,
    VersionRow,
)
from datasets_app.services.errors import NothingToFreeze, StorageFull
from datasets_app.services.inserting import insert_rows

ROWS_AT_ONCE = 1_000
DIGEST_BYTES = 32


# The columns hold canonical JSON already, so they are copied, never parsed.
_TEXTS = ("messages", "tools", "functions", *OUTPUT_KEYS, "extra")
LINE_COLUMNS = {f"{name}_text": Cast(name, TextField()) for name in _TEXTS}


def columns_of(method: str) -> list[str]:
    """The columns that `line_of` takes, in its order; needs LINE_COLUMNS annotated."""
    columns = ["messages_text", "tools_text", "parallel_tool_calls", "functions_text"]
    columns += [f"{key}_text" for key in OUTPUT_KEYS]
    return [*columns, "extra_text"] if method == Method.REINFORCEMENT else columns


def freezable_examples(
    dataset: Dataset, *, approved_only: bool = False
) -> QuerySet[Example]:
    """The valid rows that are not rejected; or only those a reviewer approved."""
    valid = Example.objects.filter(dataset=dataset, is_valid=True)
    if approved_only:
        return valid.filter(state=ReviewState.APPROVED)
    return valid.exclude(state=ReviewState.REJECTED)


def freeze(
    *, dataset: Dataset, by: Any, approved_only: bool = False, note: str = ""
) -> DatasetVersion:
    """Make a new version of the dataset as it is now.

    Two files are written first, from one query, which sees one moment of the dataset;
    only then is the version stored, with a number of its own.

    Raises:
        NothingToFreeze: no row would be in the training file.
        StorageFull: the files could not be written.
    """
    examples = freezable_examples(dataset, approved_only=approved_only)
    try:
        with ExitStack() as open_files:
            parts = {
                split: open_files.enter_context(PartWriter(split)) for split in Split
            }
            _write_rows(examples, parts, dataset.method)
            if not parts[Split.TRAIN].n_rows:
                raise NothingToFreeze(_why_nothing(dataset, approved_only))
            version = DatasetVersion(
                dataset=dataset,
                note=note[:200],
                approved_only=approved_only,
                created_by=by,
            )
            return _store(version, parts)
    except OSError as exc:
        raise StorageFull.because(exc) from exc


class PartWriter:
    """One split on its way to a file: the bytes, their hash, and which row is where."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.n_rows = self.n_tokens = 0
        self.sha256 = hashlib.sha256()
        # A million rows fit in 40 MB so; as objects they would take ten times that.
        self.example_ids = array("q")
        self.digests = bytearray()

    def __enter__(self) -> "PartWriter":
        self.file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.file.close()

    def add(self, example_id: int, digest: str, n_tokens: int, line: str) -> None:
        data = line.encode() + b"\n"
        self.file.write(data)
        self.sha256.update(data)
        self.example_ids.append(example_id)
        self.digests += bytes.fromhex(digest)
        self.n_rows += 1
        self.n_tokens += n_tokens

    def manifest(self, start: int) -> list[tuple[int, int, str]]:
        """(line number, example id, content hash) of ROWS_AT_ONCE rows from `start`."""
        ids = self.example_ids[start : start + ROWS_AT_ONCE]
        return [
            (n + 1, example_id, self._digest(n))
            for n, example_id in enumerate(ids, start)
        ]

    def _digest(self, n: int) -> str:
        return self.digests[n * DIGEST_BYTES : (n + 1) * DIGEST_BYTES].hex()


def _write_rows(
    examples: QuerySet[Example], parts: dict[Split, PartWriter], method: str
) -> None:
    rows = (
        examples.order_by("position", "pk")
        .annotate(**LINE_COLUMNS)
        .values_list("split", "pk", "content_hash", "n_tokens", *columns_of(method))
    )
    for split, pk, digest, n_tokens, *columns in rows.iterator(ROWS_AT_ONCE):
        parts[Split(split)].add(pk, digest, n_tokens, line_of(*columns))


def _why_nothing(dataset: Dataset, approved_only: bool) -> str:
    if approved_only:
        return _(
            "No training row of “%(dataset)s” is valid and approved. Approve some "
            "in the admin, or freeze every valid row that is not rejected."
        ) % {"dataset": dataset}
    return _(
        "“%(dataset)s” has no training row that is valid and not rejected. "
        "Import rows first, or mend those that have problems."
    ) % {"dataset": dataset}


def _store(version: DatasetVersion, parts: dict[Split, PartWriter]) -> DatasetVersion:
    with ExitStack() as written, transaction.atomic():
        # Nobody else numbers a version of this dataset until this one is committed.
        Dataset.objects.select_for_update().get(pk=version.dataset_id)
        last = version.dataset.versions.aggregate(last=Max("number"))["last"]
        version.number = (last or 0) + 1
        for split, part in parts.items():
            _store_part(version, split, part, written)
        version.save()
        for part in parts.values():
            _store_manifest(version, part)
        written.pop_all()  # keep the files
    return version


def _store_part(
    version: DatasetVersion, split: Split, part: PartWriter, written: ExitStack
) -> None:
    name = "training" if split == Split.TRAIN else "validation"
    setattr(version, f"n_{name}_rows", part.n_rows)
    setattr(version, f"n_{name}_tokens", part.n_tokens)
    if not part.n_rows:
        return
    setattr(version, f"{name}_sha256", part.sha256.hexdigest())
    field_file = version.file_of(split)
    part.file.seek(0)
    field_file.save(f"{name}.jsonl", File(part.file), save=False)
    written.callback(field_file.storage.delete, field_file.name)


def _store_manifest(version: DatasetVersion, part: PartWriter) -> None:
    for start in range(0, part.n_rows, ROWS_AT_ONCE):
        rows = part.manifest(start)
        ids = [example_id for _line, example_id, _digest in rows]
        # Locked until the commit, so that a row deleted meanwhile is just not linked.
        kept = Example.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        still_there = set(kept.values_list("pk", flat=True))
        insert_rows(
            VersionRow,
            ("version", "split", "line_number", "content_hash", "example"),
            (
                (version.pk, part.split.value, line_number, digest)
                + (example_id if example_id in still_there else None,)
                for line_number, example_id, digest in rows
            ),
        )
