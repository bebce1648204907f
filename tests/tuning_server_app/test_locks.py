"""Decisions of the tuning server that two may not make at once lock their row."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    BASE,
    make_file,
    make_job,
    make_key,
    make_upload,
)
from tuning_server_app.file_store import Draft
from tuning_server_app.job_request import parse_job_request
from tuning_server_app.models import Organization
from tuning_server_app.services import files, jobs, pausing, quota, uploads

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="every transaction locks all of SQLite"
)

Act = Callable[[], object]


def create_job(organization: Organization) -> Act:
    """Or two copies of a request make a job each."""
    key, _secret = make_key(organization)
    body = {"model": BASE, "training_file": make_file(organization).wire_id}
    return lambda: jobs.create_job(api_key=key, request=parse_job_request(body))


def delete_file(organization: Organization) -> Act:
    """Or weights are made meanwhile, and stay on the disk."""
    file = make_file(organization)
    return lambda: files.delete_file(file)


def add_part(organization: Organization) -> Act:
    """Or the upload ends meanwhile, and the part stays on the disk."""
    upload, draft = make_upload(organization), Draft()
    draft.write(b"part")
    return lambda: uploads.add_part(upload, draft)


def store(organization: Organization) -> Act:
    """Or two files find the same room."""
    return lambda: quota.keep_within_quota(organization, 1)


def stand_still(organization: Organization) -> Act:
    """Or the wish is withdrawn meanwhile, and nobody goes on."""
    job = make_job(
        organization=organization,
        status="running",
        claim="0" * 32,
        pause_requested_at=now(),
    )
    return lambda: pausing.stand_still(job)


@pytest.mark.parametrize(
    ("prepare", "table"),
    [
        (create_job, "organization"),
        (delete_file, "file"),
        (add_part, "upload"),
        (store, "organization"),
        (stand_still, "tuningjob"),
    ],
)
def test_the_row_is_locked(
    organization: Organization, prepare: Callable[[Organization], Act], table: str
):
    act = prepare(organization)
    with CaptureQueriesContext(connection) as queries:
        act()
    locking = [each["sql"] for each in queries if "FOR" in each["sql"].split()]
    assert any(f'FROM "tuning_server_app_{table}"' in sql for sql in locking)


@pytest.mark.django_db(transaction=True)
def test_a_job_stands_still_in_one_transaction(organization: Organization):
    assert stand_still(organization)()
