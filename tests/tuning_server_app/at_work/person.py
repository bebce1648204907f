"""Whoever sends jobs and looks at them: called over stdin by `Site.ask`."""

import json
import os
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.utils.timezone import now  # noqa: E402

from tests.tuning_server_app.factories import (  # noqa: E402
    chats,
    make_file,
    make_job,
    make_organization,
)
from tuning_server_app import tasks  # noqa: E402
from tuning_server_app.models import TuningJob  # noqa: E402

BASE = "tiny"


def new_job(epochs: int) -> int:
    organization = make_organization(slug=f"house-{TuningJob.objects.count()}")
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
    steps = row.events.filter(kind="metrics").order_by("pk")
    return {
        "status": row.status,
        "steps": list(steps.values_list("data__step", flat=True)),
        "n_lost": row.n_lost,
        "attempts": row.attempts,
        "error": row.error,
    }


def pass_time(job: int) -> None:
    """A minute without a heartbeat."""
    heartbeat = now() - timedelta(minutes=2)
    TuningJob.objects.filter(pk=job).update(heartbeat_at=heartbeat)
    tasks.drive_training.delay_on_commit()


def tick() -> None:
    tasks.drive_training.delay_on_commit()


if __name__ == "__main__":
    for line in sys.stdin:
        function, arguments = json.loads(line)
        answer = globals()[function](**arguments)
        os.write(1, json.dumps(answer).encode() + b"\n")
