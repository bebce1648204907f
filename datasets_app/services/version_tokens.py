"""What a frozen version costs a model, counted from the very bytes it is trained on."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson

from datasets_app.models import (
    BaseModel,
    DatasetVersion,
    RunStatus,
    Split,
    VersionTokens,
)
from datasets_app.services import runs
from datasets_app.services.counting import counter_key, counter_of
from datasets_app.token_counts import Counter

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 1_000
# A page may wait for this much to be counted; more is a worker's task.
SMALL_BYTES = 1_000_000


def tokens_of(version: DatasetVersion, model: BaseModel | None) -> VersionTokens:
    """The version's tokens for the model; counted here and now if it is small.

    Of a big one that nobody counted before, the answer is still pending: the caller
    rings a worker, or the tick finds it.
    """
    counted, _created = VersionTokens.objects.get_or_create(
        version=version,
        counter=counter_key(model),
        context_tokens=model.training_context_tokens if model else 0,
    )
    if counted.status == RunStatus.CANCELLED:
        runs.resume(counted)
    if counted.is_open and _n_bytes(version) <= SMALL_BYTES:
        count_version(counted, counter_of(model))
        counted.refresh_from_db()
    return counted


def count_version(counted: VersionTokens, counter: Counter) -> None:
    """Read both files to their ends; a process that takes over begins anew."""
    if not runs.claim(counted):
        return
    with suppress(runs.LostClaim):
        if runs.has_failed_too_often(counted):
            runs.end(counted, RunStatus.FAILED)
            return
        try:
            _read_files(counted, counter)
        except OSError:
            log.exception("version %d cannot be read", counted.version_id)
            runs.end(counted, RunStatus.FAILED)


def _read_files(counted: VersionTokens, counter: Counter) -> None:
    total = _n_bytes(counted.version)
    runs.update(counted, n_total=total, n_done=0)
    figures = _training_figures(counted, counter)
    figures["n_validation_tokens"] = sum(
        sum(sizes) for sizes in _sizes(counted, Split.VALIDATION, counter)
    )
    runs.end(counted, RunStatus.FINISHED, n_done=total, **figures)


def count_waiting_version(counted: VersionTokens) -> None:
    """As `count_version`, by the counter that the row names."""
    counter = _counter_named(counted)
    if counter is None:  # its tokenizer is gone, or its model was edited
        runs.cancel(counted)
    else:
        count_version(counted, counter)


def _counter_named(counted: VersionTokens) -> Counter | None:
    models = BaseModel.objects.filter(team=counted.version.dataset.team_id)
    fitting = [m for m in (None, *models) if counter_key(m) == counted.counter]
    return counter_of(fitting[0]) if fitting else None


def _training_figures(counted: VersionTokens, counter: Counter) -> dict[str, int]:
    limit = counted.context_tokens
    n_tokens = n_billable = n_beyond = 0
    for sizes in _sizes(counted, Split.TRAIN, counter):
        n_tokens += sum(sizes)
        n_billable += sum(min(size, limit) if limit else size for size in sizes)
        n_beyond += sum(size > limit > 0 for size in sizes)
    return {
        "n_training_tokens": n_tokens,
        "n_billable_tokens": n_billable,
        "n_beyond": n_beyond,
    }


def _sizes(
    counted: VersionTokens, split: Split, counter: Counter
) -> Iterator[list[int]]:
    """The tokens of every row of one file, some rows at a time."""
    if not (field_file := counted.version.file_of(split)):
        return
    with field_file.open("rb") as file:
        # To iterate a Django file is to begin again, and to split at \r too.
        every = iter(file.readline, b"")
        while lines := list(islice(every, ROWS_AT_ONCE)):
            yield counter.count_all([_record(orjson.loads(line)) for line in lines])
            n_read = counted.n_done + sum(map(len, lines))
            runs.update(counted, n_done=n_read)


def _record(line: dict[str, Any]) -> dict[str, Any]:
    """A DPO line has its conversation one level deeper than a record."""
    return {**line["input"], **line} if isinstance(line.get("input"), dict) else line


def _n_bytes(version: DatasetVersion) -> int:
    files = [version.file_of(split) for split in Split]
    try:
        return sum(file.size for file in files if file)
    except OSError:  # counting it will say so
        return 0
