import io
from datetime import timedelta

import pytest
from django.utils.timezone import now

from datasets_app import services, tasks
from datasets_app.models import ImportRun, RunStatus, Split
from datasets_app.services import runs
from tests.factories import chat_lines, make_dataset

pytestmark = pytest.mark.django_db


def start() -> ImportRun:
    return services.start_import(
        dataset=make_dataset(),
        file=io.BytesIO(chat_lines(2)),
        file_name="rows.jsonl",
        split=Split.TRAIN,
    )


def test_the_task_imports():
    run = start()
    tasks.run_import(run.pk)
    run.refresh_from_db()

    assert run.status == RunStatus.FINISHED


def test_the_task_does_nothing_for_an_import_that_was_deleted():
    tasks.run_import(0)


@pytest.mark.usefixtures("_tasks_at_once")
def test_the_tick_starts_what_rang_unheard():
    run, fresh = start(), start()
    ImportRun.objects.filter(pk=run.pk).update(created_at=now() - timedelta(minutes=1))
    tasks.drive_runs()
    run.refresh_from_db()
    fresh.refresh_from_db()

    assert (run.status, fresh.status) == (RunStatus.FINISHED, RunStatus.PENDING)


def test_a_draft_waits_until_its_author_starts_it():
    run = start()
    ImportRun.objects.filter(pk=run.pk).update(status=RunStatus.DRAFT)
    run.refresh_from_db()
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT

    assert runs.start(run)
    assert not runs.start(run)
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
