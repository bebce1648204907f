from celery import shared_task

from datasets_app import services
from datasets_app.models import (
    BulkEdit,
    CheckRun,
    CountRun,
    FreezeRun,
    ImportRun,
    VersionTokens,
)
from datasets_app.services import bulk_edits, checks, runs

TICK_SECONDS = 10


@shared_task(ignore_result=True)
def run_import(run_id: int) -> None:
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is not None:  # it may have been deleted since the bell rang
        services.run_import(run)


@shared_task(ignore_result=True)
def run_freeze(run_id: int) -> None:
    run = FreezeRun.objects.select_related("dataset").filter(pk=run_id).first()
    if run is not None:
        services.run_freeze(run)


@shared_task(ignore_result=True)
def run_bulk_edit(edit_id: int) -> None:
    edit = BulkEdit.objects.filter(pk=edit_id).first()
    if edit is not None:
        bulk_edits.run_edit(edit)


@shared_task(ignore_result=True)
def run_check(run_id: int) -> None:
    run = CheckRun.objects.filter(pk=run_id).first()
    if run is not None:
        checks.run_check(run)


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def index_texts() -> None:
    services.index_texts()


@shared_task(ignore_result=True)
def run_count(run_id: int) -> None:
    run = CountRun.objects.filter(pk=run_id).first()
    if run is not None:
        services.run_count(run)


@shared_task(ignore_result=True)
def count_version(counted_id: int) -> None:
    counted = VersionTokens.objects.filter(pk=counted_id).first()
    if counted is not None:
        services.count_waiting_version(counted)


# Whose task it is to go on with a run of each kind.
TASK_OF = {
    ImportRun: run_import,
    FreezeRun: run_freeze,
    BulkEdit: run_bulk_edit,
    CheckRun: run_check,
    CountRun: run_count,
    VersionTokens: count_version,
}


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def drive_runs() -> None:
    """The table is the queue: whatever rang unheard, or whose worker died, goes on."""
    services.begin_due_counts()
    for model, task in TASK_OF.items():
        for pk in runs.waiting(model).values_list("pk", flat=True):
            task.delay(pk)
    services.fold_counts()
    services.drop_old_uploads()
    if services.has_unindexed_texts():
        index_texts.delay()
