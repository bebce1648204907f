"""Freezing: a worker makes a version of a dataset as it is.

    pending → running → finished   (the run names the version)
                      ↘ failed, cancelled

Nothing is kept of a freeze that does not end well. A process that is killed leaves at
most files that bear the name of its claim; whoever goes on with the run removes them
and starts anew.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from datasets_app.models import (
    Dataset,
    DatasetVersion,
    FreezeFailure,
    FreezeRun,
    ReviewState,
    RunStatus,
    Split,
)
from datasets_app.services import runs, versions
from datasets_app.services.errors import FreezeFailed
from teams_app import audit
from teams_app.models import Verb

Progress = Callable[[FreezeRun], object]


def start_freeze(
    *, dataset: Dataset, by: Any, approved_only: bool = False, note: str = ""
) -> FreezeRun:
    """A freeze for a worker to do."""
    return FreezeRun.objects.create(
        dataset=dataset, created_by=by, approved_only=approved_only, note=note[:200]
    )


def freeze(
    *, dataset: Dataset, by: Any, approved_only: bool = False, note: str = ""
) -> DatasetVersion:
    """Make a version here and now. Raises FreezeFailed."""
    run = start_freeze(dataset=dataset, by=by, approved_only=approved_only, note=note)
    run_freeze(run)
    if run.version is None:
        raise FreezeFailed(str(run.get_error_display()))
    return run.version


def run_freeze(run: FreezeRun, *, on_progress: Progress | None = None) -> None:
    """Make the version; harmless to call twice, even at once.

    The row knows how it ended; `on_progress` is called now and then.
    """
    previous_claim = run.claim
    if not runs.claim(run):
        return
    report = on_progress or (lambda _run: None)
    with suppress(runs.LostClaim):
        if previous_claim:
            _remove_leftovers(previous_claim.hex)
        if runs.has_failed_too_often(run):
            _fail(run, FreezeFailure.STOPPED)
        else:
            _make_version(run, report)
        report(run)


def _remove_leftovers(name: str) -> None:
    for split in Split:
        default_storage.delete(versions.file_name(name, split))


def _make_version(run: FreezeRun, report: Progress) -> None:
    def advance(n_rows: int) -> None:
        runs.update(run, n_done=n_rows)
        report(run)

    rows = versions.freezable_examples(run.dataset, approved_only=run.approved_only)
    runs.update(run, n_total=rows.count(), n_done=0)
    has_unapproved_rows = _has_unapproved_rows(run)
    try:
        with versions.written_parts(
            run.dataset, approved_only=run.approved_only, on_piece=advance
        ) as parts:
            _store(run, parts, has_unapproved_rows=has_unapproved_rows)
    except OSError:
        _fail(run, FreezeFailure.STORAGE)


def _has_unapproved_rows(run: FreezeRun) -> bool:
    """Asked before the rows are read and after: an unapproved one is missed only where
    somebody approved just what was read."""
    rows = versions.freezable_examples(run.dataset, approved_only=run.approved_only)
    return rows.exclude(state=ReviewState.APPROVED).exists()


def _store(run: FreezeRun, parts: versions.Parts, *, has_unapproved_rows: bool) -> None:
    if not parts[Split.TRAIN].n_rows:
        nothing = FreezeFailure.NOTHING
        _fail(run, FreezeFailure.NOTHING_APPROVED if run.approved_only else nothing)
        return
    version = DatasetVersion(
        dataset=run.dataset,
        note=run.note,
        approved_only=run.approved_only,
        has_unapproved_rows=has_unapproved_rows or _has_unapproved_rows(run),
        created_by=run.created_by,
    )
    name = run.claim.hex  # type: ignore[union-attr]
    with versions.stored_files(version, parts, name), transaction.atomic():
        # Nobody else numbers a version of this dataset until this one is committed.
        # New examples may refer to the dataset meanwhile.
        locked = Dataset.objects.select_for_update(no_key=True)
        if locked.filter(pk=run.dataset_id).first() is None:
            raise runs.LostClaim
        versions.store_version(version, parts)
        audit.record(Verb.FROZEN, version, by=run.created_by)
        runs.end(run, RunStatus.FINISHED, version=version, n_done=version.n_rows)


@transaction.atomic
def cancel_freeze(run: FreezeRun, *, by: Any = None) -> None:
    """No version comes of it, unless one was made already."""
    if runs.cancel(run):
        audit.record(Verb.STOPPED, run.dataset, by=by, freeze=run.pk)


def _fail(run: FreezeRun, reason: FreezeFailure) -> None:
    runs.end(run, RunStatus.FAILED, error=reason)
