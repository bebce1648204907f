"""Files in parts: what stands in the row while somebody else works on it, too."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, RemoteFile, RemotePart
from jobs_app.providers import PROFILES, ProviderClient
from jobs_app.services import parts
from tests.factories import make_job

PART_BYTES = 200
pytestmark = pytest.mark.django_db


@pytest.fixture
def job(faulty_provider, monkeypatch) -> FineTuningJob:
    """Its file goes in several parts."""
    small: Any = {"max_file_bytes": PART_BYTES, "max_part_bytes": PART_BYTES}
    monkeypatch.setitem(PROFILES, "openai", replace(PROFILES["openai"], **small))
    faulty_provider.kind = "openai"
    faulty_provider.save()
    return make_job(provider=faulty_provider, status=JobStatus.PENDING)


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def a_file(**fields: Any) -> RemoteFile:
    job = make_job()
    of_it = {"provider": job.provider, "dataset_version": job.dataset_version}
    return RemoteFile.objects.create(split="train", **of_it, **fields)


def test_a_completed_file_that_is_not_listed_yet_is_waited_for(job, faulty):
    faulty.unlisted_seconds = 60
    faulty.fails("complete_upload", "accept_then_drop")
    submit(job)

    assert "looked for" in submit(job).poll_problem
    assert (faulty.count("complete_upload"), faulty.created["upload"]) == (1, 1)


def test_completing_one_file_says_nothing_of_others(job, faulty):
    other = a_file()

    submit(job)

    other.refresh_from_db()
    assert other.sent_at is None


def test_an_upload_ends_when_the_provider_says(job, faulty):
    faulty.upload_lives_seconds = 30
    faulty.fails("add_part", "drop", after=2)
    submit(job)
    faulty.upload_lives_seconds = 3600

    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["upload"] == 2


def test_where_it_does_not_say_an_upload_lives_for_the_contracts_hour(job, faulty):
    faulty.answers("POST", "/v1/uploads", 200, {"id": "upload-1", "expires_at": None})

    submit(job)

    ends_at = RemoteFile.objects.get().upload_expires_at
    assert ends_at is not None
    assert timedelta(minutes=59) < ends_at - now() <= parts.UPLOAD_LIVES


def test_whoever_begins_anew_does_not_overwrite_who_sends():
    row, sender = a_file(upload_id="upload-1"), make_job()
    RemoteFile.objects.filter(pk=row.pk).update(sender=sender)

    parts._drop(row)

    stored = RemoteFile.objects.get(pk=row.pk)
    assert (stored.sender, stored.upload_id) == (sender, "")


def test_a_new_upload_is_noted_and_nothing_else(job, faulty, monkeypatch):
    start = ProviderClient.start_upload

    def taken_over_meanwhile(client: ProviderClient, file: Any) -> Any:
        RemoteFile.objects.update(sender=None)
        return start(client, file)

    monkeypatch.setattr(ProviderClient, "start_upload", taken_over_meanwhile)

    submit(job)

    assert RemoteFile.objects.get().remote_id == ""  # it is the other's to say


def test_dropping_one_files_parts_keeps_those_of_others():
    row, other = a_file(), a_file()
    for each in (row, other):
        RemotePart.objects.create(remote_file=each, number=0, remote_id="part-1")

    parts._drop(row)

    assert [part.remote_file for part in RemotePart.objects.all()] == [other]


def test_a_part_that_somebody_noted_meanwhile_is_no_error(job, faulty, monkeypatch):
    send = ProviderClient.send_part

    def noted_meanwhile(client: ProviderClient, upload_id: str, *args: Any) -> str:
        remote_id = send(client, upload_id, *args)
        row = RemoteFile.objects.get()
        row.parts.create(number=args[1], remote_id=remote_id)
        return remote_id

    monkeypatch.setattr(ProviderClient, "send_part", noted_meanwhile)

    assert submit(job).status == JobStatus.QUEUED
