"""Whoever sends jobs and looks at them: called over stdin by `Site.ask`."""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_celery_beat.models import PeriodicTask  # noqa: E402

from finetune_site.first_start import make_ticks  # noqa: E402
from tests.tuning_server_app.factories import (  # noqa: E402
    chats,
    make_file,
    make_job,
    make_key,
    make_model,
    make_organization,
    make_webhook,
)
from tuning_server_app import file_store, tasks  # noqa: E402
from tuning_server_app.job_request import parse_job_request  # noqa: E402
from tuning_server_app.models import (  # noqa: E402
    EventKind,
    Export,
    ExportKind,
    TuningJob,
    WebhookDelivery,
)
from tuning_server_app.run_files import newest_state, step_of  # noqa: E402
from tuning_server_app.services import exports, jobs  # noqa: E402
from tuning_server_app.services.tuned_models import runs_folder  # noqa: E402

BASE = "tiny"
LOOK_SECONDS = 0.5


def schedule_ticks() -> None:
    make_ticks()
    PeriodicTask.objects.exclude(task=tasks.drive_training.name).delete()


def new_job(epochs: int) -> int:
    organization = make_organization()
    file = make_file(organization, chats(10))
    job = make_job(
        organization=organization,
        model=BASE,
        base_model=BASE,
        training_file=file.wire_id,
        hyperparameters={
            "n_epochs": epochs,
            "batch_size": 1,
            "learning_rate_multiplier": 1,
        },
    )
    tasks.validate.delay_on_commit(job.pk)
    return job.pk


def look(job: int) -> dict[str, Any]:
    row = TuningJob.objects.get(pk=job)
    steps = row.events.filter(kind=EventKind.METRICS).order_by("pk")
    said = row.events.order_by("pk").values_list("message", flat=True)
    attempt = runs_folder() / row.wire_id / f"attempt-{row.attempts}"
    state = newest_state(attempt)
    return {
        "status": row.status,
        "steps": list(steps.values_list("data__step", flat=True)),
        "went_on": [text for text in said if text.startswith("Going on from step")],
        "saved": step_of(state) if state else 0,
        "n_lost": row.n_lost,
        "attempts": row.attempts,
        "error": row.error,
    }


def new_deliveries(url: str, n: int) -> list[int]:
    """Of `n` jobs that are cancelled one after the other."""
    organization = make_organization()
    webhook = make_webhook(organization, url)
    for _ in range(n):
        job = make_job(organization=organization)
        jobs.cancel_job(job)
        tasks.ring_webhooks(job)
    deliveries = WebhookDelivery.objects.filter(webhook=webhook)
    return list(deliveries.order_by("pk").values_list("pk", flat=True))


def messages(deliveries: list[int]) -> dict[str, str]:
    """The state of each, by the id of its message."""
    rows = WebhookDelivery.objects.filter(pk__in=deliveries)
    return dict(rows.values_list("message_id", "state"))


def new_export() -> list[Any]:
    """Its key, and where its weights are read: a pipe that nobody writes to."""
    model = make_model()
    folder = runs_folder() / model.adapter
    folder.mkdir(parents=True)
    (folder / exports.ADAPTER_CONFIG).write_text("{}")
    weights = folder / exports.ADAPTER_WEIGHTS
    os.mkfifo(weights)
    exports.offer(model)
    export = Export.objects.get(tuned_model=model, kind=ExportKind.ADAPTER)
    tasks.make_export.delay_on_commit(export.pk)
    return [export.pk, str(weights)]


def export(pk: int) -> dict[str, Any]:
    row = Export.objects.select_related("file").get(pk=pk)
    return {"state": row.state, "path": str(file_store.path_of(row.file.blob))}


def retries_at_once() -> list[str]:
    """The ids that two copies of a request are answered with: each is about to look for
    the other before that has its row, if it is let."""
    key, _secret = make_key()
    file = make_file(key.organization)
    request = parse_job_request(
        {"model": next(iter(jobs.names_for_all())), "training_file": file.wire_id}
    )
    find, both = jobs._earlier_job, threading.Barrier(2)

    def find_and_wait(*args: Any, **options: Any) -> TuningJob | None:
        found = find(*args, **options)
        with suppress(threading.BrokenBarrierError):
            both.wait(LOOK_SECONDS)
        return found

    def create(_n: int) -> str:
        try:
            return jobs.create_job(api_key=key, request=request, is_retry=True).wire_id
        finally:
            connection.close()

    with (
        patch.object(jobs, "_earlier_job", find_and_wait),
        ThreadPoolExecutor(2) as threads,
    ):
        return list(threads.map(create, range(2)))


def pass_time() -> None:
    """A minute without a sign of life from whoever was at work."""
    long_ago = now() - timedelta(minutes=2)
    TuningJob.objects.filter(status="running").update(heartbeat_at=long_ago)
    Export.objects.update(heartbeat_at=long_ago)
    WebhookDelivery.objects.update(next_try_at=long_ago)
    tick()


def tick() -> None:
    tasks.drive_training.delay_on_commit()


if __name__ == "__main__":
    for line in sys.stdin:
        function, arguments = json.loads(line)
        answer = globals()[function](**arguments)
        os.write(1, json.dumps(answer).encode() + b"\n")
