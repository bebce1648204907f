"""What may be there once is held to that by the database, whoever writes it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, models, transaction
from django.utils.timezone import now

from jobs_app.models import JobStatus, LeftoverFile, RemoteFile, RemotePart
from tests.factories import make_job, make_provider, make_version

pytestmark = pytest.mark.django_db


def a_remote_job() -> models.Model:
    return make_job(status=JobStatus.RUNNING, remote_id="ftjob-1")


def a_remote_file() -> RemoteFile:
    return RemoteFile.objects.create(
        provider=make_provider(), dataset_version=make_version(), split="train"
    )


def a_part() -> models.Model:
    return RemotePart.objects.create(
        remote_file=a_remote_file(), number=1, remote_id="part-1"
    )


def a_leftover() -> models.Model:
    return LeftoverFile.objects.create(
        provider=make_provider(), remote_id="file-1", name="a.jsonl", seen_at=now()
    )


ONCE: list[tuple[Callable[[], models.Model], dict[str, Any]]] = [
    (make_job, {}),  # its launch key
    (a_remote_job, {"launch_key": uuid4()}),
    (a_remote_file, {}),
    (a_part, {"remote_id": "part-2"}),
    (a_leftover, {}),
    (make_provider, {}),  # its name
]


@pytest.mark.parametrize(("make", "other"), ONCE)
def test_a_second_one_is_refused(make, other):
    row = make()
    row.pk, row._state.adding = None, True
    for name, value in other.items():
        setattr(row, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
