"""Imports: a file is stored at once, and read into its dataset by one process.

    pending → running → finished
                      ↘ failed     (an all-or-nothing import with bad rows, say)

Rows, report and progress of a batch are committed together, so an import that was
killed goes on after the last batch: no row comes twice and no line is reported twice.
"""

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction
from django.utils.timezone import now

from datasets_app.database.bulk import roomy_cache
from datasets_app.formats import method_of, open_rows
from datasets_app.jsonl import BadFile
from datasets_app.models import (
    Dataset,
    FileFormat,
    ImportFailure,
    ImportProblem,
    ImportRun,
    OnDuplicate,
    RunStatus,
)
from datasets_app.services import runs
from datasets_app.services.check_requests import rows_changed
from datasets_app.services.database_errors import is_disk_full, is_locked
from datasets_app.services.datasets import settle_method
from datasets_app.services.errors import OtherMethod
from datasets_app.services.examples import next_position
from datasets_app.services.import_batches import Batch, Row, batches
from datasets_app.services.import_duplicates import (
    list_duplicates,
    replace_rows,
    sort_out,
)
from datasets_app.services.import_tags import put_tags
from datasets_app.services.inserting import insert_examples
from datasets_app.services.recounting import recount_if_stale
from datasets_app.services.uploads import store_file
from teams_app import audit
from teams_app.models import Verb

Progress = Callable[[ImportRun], None]


def start_import(
    *,
    dataset: Dataset,
    file: Any,
    file_name: str,
    split: str,
    strict: bool = False,
    on_duplicate: str = OnDuplicate.SKIP,
    format: str = FileFormat.CHAT,
    mapping: dict[str, str] | None = None,
    by: Any = None,
) -> ImportRun:
    """Store the file for a worker to read, without looking at it. Raises StorageFull.

    Args:
        mapping: of a table, what its columns are; see `formats.columns`.
    """
    run = ImportRun(
        dataset=dataset,
        file_name=Path(file_name).name[:255],
        split=split,
        strict=strict,
        on_duplicate=on_duplicate,
        format=format,
        mapping=mapping or {},
        created_by=by,
    )
    store_file(run, file)
    audit.record(Verb.IMPORTED, dataset, by=by, file=run.file_name, split=split)
    return run


@transaction.atomic
def cancel_import(run: ImportRun, *, by: Any = None) -> bool:
    """Stop it; the rows it added stay. False if it had ended already."""
    is_cancelled = runs.cancel(run)
    if is_cancelled:
        audit.record(Verb.STOPPED, run.dataset, by=by, file=run.file_name)
    return is_cancelled


@transaction.atomic
def resume_import(run: ImportRun, *, by: Any = None) -> bool:
    """Let it go on where it stopped. False if it neither failed nor was cancelled.

    A file of which nothing was added, because some rows are bad, is read anew.
    """
    is_resumed = _resume(run)
    if is_resumed:
        audit.record(Verb.CONTINUED, run.dataset, by=by, file=run.file_name)
    return is_resumed


def _resume(run: ImportRun) -> bool:
    if run.error != ImportFailure.SOME_INVALID:
        return runs.resume(run, error="")
    anew = dict.fromkeys(("n_done", "n_lines_read", "n_read", "n_invalid"), 0)
    is_resumed = runs.resume(run, error="", strict=False, **anew)
    if is_resumed:
        run.problems.all().delete()
    return is_resumed


def run_import(run: ImportRun, *, on_progress: Progress | None = None) -> None:
    """Read the file into the dataset; harmless to call twice, even at once.

    One caller wins the claim, and every batch is committed only while it holds. The
    row knows how it ended; `on_progress` is called after every batch.
    """
    if not runs.claim(run):
        return
    report = on_progress or (lambda _run: None)
    with suppress(runs.LostClaim):
        try:
            _do(run, report)
        except (OSError, DatabaseError) as exc:
            _put_off(run, exc)
        report(run)
    rows_changed(run.dataset_id)


def _do(run: ImportRun, report: Progress) -> None:
    if runs.has_failed_too_often(run):
        _fail(run, ImportFailure.STOPPED)
        return
    try:
        file = run.file.open("rb")
    except FileNotFoundError:
        _fail(run, ImportFailure.FILE_GONE)
        return
    with file, roomy_cache():
        _read_file(run, file, report)


def _put_off(run: ImportRun, error: Exception) -> None:
    """A full disk is for people to mend; a busy database will soon be free."""
    if is_disk_full(error):
        _fail(run, ImportFailure.NO_ROOM)
    elif is_locked(error):
        runs.release(run)
    else:
        raise error


def _read_file(run: ImportRun, file: Any, report: Progress) -> None:
    try:
        _read_rows(run, file, report)
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


def _read_rows(run: ImportRun, file: Any, report: Progress) -> None:
    if run.strict and not run.is_checked and not _check_all(run, file, report):
        _fail(run, ImportFailure.SOME_INVALID)
        return
    with closing(_batches(run, file)) as found:
        for batch in found:
            _add(run, batch)
            report(run)
    runs.end(run, RunStatus.FINISHED, n_done=run.n_total)


def _batches(run: ImportRun, file: Any) -> Generator[Batch, None, None]:
    """The batches that are left: after a restart, those behind the last one stored."""
    lines = open_rows(
        file,
        format=run.format,
        offset=run.n_done,
        number=run.n_lines_read,
    )
    return batches(run, lines)


def _check_all(run: ImportRun, file: Any, report: Progress) -> bool:
    """The first pass of an all-or-nothing import: is every row valid?"""
    with closing(_batches(run, file)) as found:
        for batch in found:
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
        rows = sort_out(run, dataset, batch.rows)
        new = [row.derived for row in rows.new]
        first = next_position(dataset)
        insert_examples(run, new, first_position=first)
        put_tags(dataset, {n: row.tags for n, row in enumerate(rows.new, first)})
        recount_if_stale(dataset, counted_with=batch.counter.key)
        ImportProblem.objects.bulk_create(batch.problems)
        _meet_known(run, dataset, rows.known)
        _advance(run, batch, n_added=len(new))


def _meet_known(run: ImportRun, dataset: Dataset, rows: list[Row]) -> None:
    if not rows:
        return
    list_duplicates(run, dataset, rows)
    if run.on_duplicate == OnDuplicate.REPLACE:
        replace_rows(run, dataset, rows)


def _advance(run: ImportRun, batch: Batch, n_added: int = 0) -> None:
    is_check = run.strict and not run.is_checked
    n_known = 0 if is_check else len(batch.rows) - n_added
    n_replaced = n_known * (run.on_duplicate == OnDuplicate.REPLACE)
    runs.update(
        run,
        n_done=batch.end,
        n_lines_read=batch.n_lines,
        n_read=run.n_read + batch.n_read,
        n_invalid=run.n_invalid + batch.n_invalid,
        n_added=run.n_added + n_added,
        n_duplicate=run.n_duplicate + n_known - n_replaced,
        n_replaced=run.n_replaced + n_replaced,
        n_attempts=1,  # it got on: what stopped it before does not count any more
    )


def _fail(run: ImportRun, error: ImportFailure) -> None:
    runs.end(run, RunStatus.FAILED, error=error)
