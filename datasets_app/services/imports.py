"""Imports: a file is stored at once, and read into its dataset by one process.

    pending → running → finished
                      ↘ failed     (an all-or-nothing import with bad rows, say)

Rows, report and progress of a batch are committed together, so an import that was
killed goes on after the last batch: no row comes twice and no line is reported twice.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils.timezone import now

from datasets_app.derived import Derived
from datasets_app.formats import method_of, open_rows
from datasets_app.jsonl import BadFile
from datasets_app.models import (
    Dataset,
    ImportFailure,
    ImportProblem,
    ImportRun,
    RunStatus,
)
from datasets_app.services import runs
from datasets_app.services.datasets import settle_method
from datasets_app.services.errors import OtherMethod, StorageFull
from datasets_app.services.examples import next_position
from datasets_app.services.import_batches import Batch, batches
from datasets_app.services.inserting import insert_examples

Progress = Callable[[ImportRun], None]


def start_import(
    *,
    dataset: Dataset,
    file: Any,
    file_name: str,
    split: str,
    strict: bool = False,
    by: Any = None,
) -> ImportRun:
    """Store the file for a worker to read. Raises StorageFull."""
    run = ImportRun(
        dataset=dataset,
        file_name=Path(file_name).name[:255],
        split=split,
        strict=strict,
        created_by=by,
    )
    try:
        run.file.save("import.jsonl", File(file), save=False)
    except OSError as exc:
        raise StorageFull.because(exc) from exc
    run.n_total = run.file.size
    run.save()
    return run


def run_import(run: ImportRun, *, on_progress: Progress | None = None) -> None:
    """Read the file into the dataset; harmless to call twice, even at once.

    One caller wins the claim, and every batch is committed only while it holds. The
    row knows how it ended; `on_progress` is called after every batch.
    """
    if not runs.claim(run):
        return
    report = on_progress or (lambda _run: None)
    with suppress(runs.LostClaim):
        if runs.has_failed_too_often(run):
            _fail(run, ImportFailure.STOPPED)
        elif not run.file.storage.exists(str(run.file.name)):
            _fail(run, ImportFailure.FILE_GONE)
        else:
            _read_file(run, report)
        report(run)


def _read_file(run: ImportRun, report: Progress) -> None:
    try:
        _read_rows(run, report)
    except BadFile as exc:
        ImportProblem.objects.create(
            import_run=run,
            line_number=run.n_lines_read + 1,
            code=exc.problem.code,
            params=exc.problem.params,
        )
        _fail(run, ImportFailure.BAD_FILE)
    except OtherMethod:
        _fail(run, ImportFailure.OTHER_METHOD)


def _read_rows(run: ImportRun, report: Progress) -> None:
    with run.file.open("rb") as file:
        if run.strict and not run.is_checked and not _check_all(run, file, report):
            _fail(run, ImportFailure.SOME_INVALID)
            return
        for batch in _batches(run, file):
            _add(run, batch)
            report(run)
    runs.end(run, RunStatus.FINISHED, n_done=run.n_total)


def _batches(run: ImportRun, file: Any) -> Iterator[Batch]:
    """The batches that are left: after a restart, those behind the last one stored."""
    lines = open_rows(
        file,
        format=run.format,
        mapping=run.mapping,
        offset=run.n_done,
        number=run.n_lines_read,
    )
    return batches(run, lines)


def _check_all(run: ImportRun, file: Any, report: Progress) -> bool:
    """The first pass of an all-or-nothing import: is every row valid?"""
    for batch in _batches(run, file):
        with transaction.atomic():
            ImportProblem.objects.bulk_create(batch.problems)
            _advance(run, batch)
        report(run)
    if run.n_invalid:
        return False
    anew = {"n_done": 0, "n_done_before": 0, "n_lines_read": 0, "n_read": 0}
    runs.update(run, is_checked=True, started_at=now(), **anew)
    return True


def _add(run: ImportRun, batch: Batch) -> None:
    with transaction.atomic():
        # One at a time: two imports into one dataset would miss each other's rows.
        dataset = Dataset.objects.select_for_update().filter(pk=run.dataset_id).first()
        if dataset is None:
            raise runs.LostClaim
        settle_method(dataset, method_of(run.format, run.mapping))
        rows = _unknown(dataset, batch.rows)
        insert_examples(run, rows, first_position=next_position(dataset))
        ImportProblem.objects.bulk_create(batch.problems)
        _advance(run, batch, n_added=len(rows))


def _unknown(dataset: Dataset, rows: list[Derived]) -> list[Derived]:
    """Those whose content the dataset does not hold yet, each content once."""
    by_hash: dict[str, Derived] = {}
    for row in rows:
        by_hash.setdefault(row.content_hash, row)
    known = dataset.examples.filter(content_hash__in=by_hash)
    for content_hash in known.order_by().values_list("content_hash", flat=True):
        by_hash.pop(content_hash, None)
    return list(by_hash.values())


def _advance(run: ImportRun, batch: Batch, n_added: int = 0) -> None:
    is_check = run.strict and not run.is_checked
    n_duplicate = 0 if is_check else len(batch.rows) - n_added
    runs.update(
        run,
        n_done=batch.end,
        n_lines_read=batch.n_lines,
        n_read=run.n_read + batch.n_read,
        n_invalid=run.n_invalid + batch.n_invalid,
        n_added=run.n_added + n_added,
        n_duplicate=run.n_duplicate + n_duplicate,
    )


def _fail(run: ImportRun, error: ImportFailure) -> None:
    runs.end(run, RunStatus.FAILED, error=error)
