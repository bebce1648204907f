"""Two submissions of one version, and files that are there only by name."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils.timezone import now

from datasets_app.models import Split
from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Provider, RemoteFile
from jobs_app.providers import PROFILES, ProviderClient
from jobs_app.services import uploading
from jobs_app.services.waiting import NotYet
from tests.factories import make_job
from tests.jobs_app.faults import OPERATIONS


@pytest.fixture
def job(faulty_provider) -> FineTuningJob:
    return make_job(provider=faulty_provider, status=JobStatus.PENDING)


def another(job: FineTuningJob, **fields: Any) -> FineTuningJob:
    return make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        **{"status": JobStatus.PENDING, **fields},
    )


def file_of(job: FineTuningJob, **fields: Any) -> RemoteFile:
    return RemoteFile.objects.create(
        provider=job.provider,
        dataset_version=job.dataset_version,
        split="train",
        **fields,
    )


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def test_of_two_who_read_that_nobody_sends_it_one_does(job):
    row = file_of(job)
    stale = RemoteFile.objects.get(pk=row.pk)
    uploading._claim_sending(row, job)

    with pytest.raises(NotYet, match="Another job uploads"):
        uploading._claim_sending(stale, another(job))
    assert RemoteFile.objects.get().sender == job


@pytest.mark.parametrize(
    "read", [{"sending_since": None}, {"sender_id": None}, {"remote_id": ""}]
)
def test_what_changed_since_it_was_read_is_not_taken_over(job, read):
    """The same job sends it again, or it has arrived."""
    row = file_of(job, sender=job, sending_since=now(), remote_id="file-1")
    if "remote_id" not in read:
        RemoteFile.objects.update(remote_id="")
    for name, value in read.items():
        setattr(row, name, value)

    with pytest.raises(NotYet):
        uploading._claim_sending(row, job)


def test_what_may_have_arrived_since_it_was_read_is_known_to_who_takes_over(job):
    row = file_of(job)
    RemoteFile.objects.update(sent_at=now())

    uploading._claim_sending(row, job)

    assert row.sent_at is not None


def test_one_files_sender_is_not_anothers(job):
    mine, other = file_of(job), another(make_job())
    theirs = file_of(other)

    uploading._claim_sending(mine, job)

    theirs.refresh_from_db()
    assert theirs.sender is None


@pytest.mark.parametrize(
    ("status", "is_now"), [(JobStatus.SUBMITTING, False), (JobStatus.RUNNING, True)]
)
def test_only_a_claim_that_stands_is_waited_for(job, status, is_now):
    """Its sender holds another claim by now, or none."""
    sender = another(job, status=status)
    since = sender.status_changed_at - timedelta(seconds=0 if is_now else 60)
    row = file_of(job, sender=sender, sending_since=since)

    assert not uploading._is_being_sent(row)


def test_another_jobs_claim_is_not_the_senders(job):
    busy = another(job, status=JobStatus.SUBMITTING)
    row = file_of(job, sender=another(job), sending_since=busy.status_changed_at)

    assert not uploading._is_being_sent(row)


def test_another_files_sender_is_not_waited_for(job):
    busy = make_job(status=JobStatus.SUBMITTING)
    file_of(busy, sender=busy, sending_since=busy.status_changed_at)

    assert not uploading._is_being_sent(file_of(job))


def test_a_claim_that_stands_is_waited_for(job):
    busy = another(job, status=JobStatus.SUBMITTING)
    row = file_of(job, sender=busy, sending_since=busy.status_changed_at)

    assert uploading._is_being_sent(row)


def test_an_id_is_stored_with_the_file_that_this_job_sends(job):
    mine = {"sender": job, "sending_since": job.status_changed_at}
    row = file_of(job, **mine)
    file_of(another(make_job()), **mine)

    assert list(uploading._still_sending(row, job)) == [row]
    RemoteFile.objects.update(sender=another(job))
    assert not uploading._still_sending(row, job).exists()


def test_a_file_that_is_listed_as_unusable_is_sent_again(job, faulty):
    faulty.fails("upload_file", "accept_then_drop")
    submit(job)
    next(iter(faulty.files.values()))["status"] = "error"
    RemoteFile.objects.update(sent_at=None)

    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["file"] == 2


@pytest.mark.parametrize("kind", ["drop", "rate_limit"])
def test_what_became_of_one_file_is_noted_of_that_one(job, faulty, kind):
    a_while_ago = now() - timedelta(hours=1)
    other = file_of(make_job(), sent_at=a_while_ago)
    faulty.fails("upload_file", kind)

    submit(job)

    other.refresh_from_db()
    assert other.sent_at == a_while_ago


def test_whose_turn_is_over_stores_no_id(job, faulty, monkeypatch):
    upload = ProviderClient.upload

    def upload_and_lose(client: ProviderClient, file: Any) -> str:
        RemoteFile.objects.update(sending_since=now())
        return upload(client, file)

    monkeypatch.setattr(ProviderClient, "upload", upload_and_lose)

    submit(job)

    assert RemoteFile.objects.get().remote_id == ""


def test_what_somebody_sent_again_meanwhile_is_not_forgotten(job):
    row = file_of(job, remote_id="file-old")
    RemoteFile.objects.update(remote_id="file-new")

    uploading._forget(row)

    assert row.remote_id == "file-new"


def test_forgetting_one_file_forgets_no_other(job):
    row = file_of(job, remote_id="file-1")
    other = file_of(make_job(), remote_id="file-1")

    uploading._forget(row)

    other.refresh_from_db()
    assert other.remote_id == "file-1"


def test_a_file_that_is_only_listed_any_more_is_sent_again(job, faulty):
    submit(job)
    [file_id] = faulty.files
    faulty.answers("GET", f"/v1/files/{file_id}", 404, {})

    assert submit(another(job)).status == JobStatus.QUEUED
    assert faulty.created["file"] == 2


def test_a_file_that_became_unusable_is_sent_again(job, faulty):
    submit(job)
    [file] = faulty.files.values()
    file["status"] = "error"

    assert submit(another(job)).status == JobStatus.QUEUED
    assert faulty.created["file"] == 2


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_provider_without_a_list_of_files_gets_it_all_the_same(job, faulty, status):
    faulty.answers(*OPERATIONS["list_files"], status, {})

    assert submit(job).status == JobStatus.QUEUED


def test_a_list_of_files_that_is_forbidden_ends_the_job(job, faulty):
    faulty.refuses(*OPERATIONS["list_files"], 403, "not with this key")

    assert submit(job).status == JobStatus.FAILED
    assert "not with this key" in job.error["message"]
    assert faulty.created["file"] == 0


def test_a_file_that_vanishes_in_processing_ends_the_job(job, faulty):
    faulty.answers(*OPERATIONS["show_file"], 404, {})

    assert submit(job).status == JobStatus.FAILED
    assert "deleted" in job.error["message"]
    assert (job.error["code"], job.error["param"]) == ("invalid_file_format", "train")


def test_a_file_whose_size_is_not_told_is_known_by_its_name(job, faulty):
    faulty.fails("upload_file", "accept_then_drop")
    submit(job)
    next(iter(faulty.files.values()))["bytes"] = None

    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["file"] == 1


@pytest.mark.parametrize(
    ("kind", "abilities", "n_bytes"),
    [
        ("openai", {}, 5),  # what its makers say
        ("openai", {"uploads": False}, 0),  # what a check found
        ("compatible", {}, 0),
        ("compatible", {"uploads": True}, uploading.CONTRACT_UPLOAD_BYTES),
    ],
)
def test_how_much_goes_in_parts(monkeypatch, kind, abilities, n_bytes):
    five = replace(PROFILES["openai"], max_upload_bytes=5)
    monkeypatch.setitem(PROFILES, "openai", five)
    provider = Provider(kind=kind, abilities=abilities)

    assert uploading._most_in_parts(provider) == n_bytes


def test_between_two_looks_at_a_file_that_is_read_there_is_a_pause(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(uploading.time, "sleep", waited.append)
    looks = iter([("uploaded", ""), ("uploaded", ""), ("processed", "")])
    client = SimpleNamespace(file_status=lambda _id: next(looks))

    uploading.wait_until_processed(cast(ProviderClient, client), "file-1", Split.TRAIN)

    assert waited == [uploading.PROCESSING_CHECK_SECONDS] * 2
