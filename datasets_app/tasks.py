from celery import shared_task

from datasets_app import services
from datasets_app.models import ImportRun

TICK_SECONDS = 10


@shared_task(ignore_result=True)
def run_import(run_id: int) -> None:
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is not None:  # it may have been deleted since the bell rang
        services.run_import(run)


@shared_task(ignore_result=True, expires=TICK_SECONDS)
def drive_imports() -> None:
    """The table is the queue: whatever rang unheard, or whose worker died, goes on."""
    for run in services.waiting_imports().only("pk"):
        run_import.delay(run.pk)
