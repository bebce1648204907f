"""A version's file comes to a provider once, whole or in parts, and is found again."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import (
    FineTuningJob,
    JobStatus,
    ProviderPace,
    RemoteFile,
    RemotePart,
)
from jobs_app.providers import PROFILES, OutgoingFile
from jobs_app.services import parts, uploading
from tests.factories import chat_lines, make_dataset, make_job, make_version

PART_BYTES = 200


@pytest.fixture
def job(faulty_provider) -> FineTuningJob:
    return job_of(faulty_provider)


def job_of(provider, version=None) -> FineTuningJob:
    version = version or make_version(
        dataset=make_dataset(team=provider.team), training=chat_lines(10)
    )
    return make_job(
        provider=provider, dataset_version=version, status=JobStatus.PENDING
    )


@pytest.fixture
def in_parts(job, monkeypatch) -> FineTuningJob:
    """Its provider takes 200 bytes at a time: the file has several parts."""
    small: Any = {"max_file_bytes": PART_BYTES, "max_part_bytes": PART_BYTES}
    openai = replace(PROFILES["openai"], **small)
    monkeypatch.setitem(PROFILES, "openai", openai)
    job.provider.kind = "openai"
    job.provider.save()
    return job


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def content_of(job: FineTuningJob) -> bytes:
    with job.dataset_version.training_file.open("rb") as file:
        return bytes(file.read())


def n_parts(job: FineTuningJob) -> int:
    return -(-len(content_of(job)) // PART_BYTES)


def let_pass(seconds: float) -> None:
    back = timedelta(seconds=seconds)
    RemoteFile.objects.update(sent_at=F("sent_at") - back)


# Once ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["accept_then_drop", "accept_then_server_error", "truncated_json"]
)
def test_a_file_whose_answer_was_lost_is_found_and_used(job, faulty, kind):
    faulty.fails("upload_file", kind)

    assert submit(job).status == JobStatus.PENDING
    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["file"] == 1


def test_a_file_that_is_not_listed_yet_is_waited_for(job, faulty):
    faulty.unlisted_seconds = 60
    faulty.fails("upload_file", "accept_then_drop")
    submit(job)

    assert "looked for" in submit(job).poll_problem
    assert faulty.count("upload_file") == 1
    faulty.unlisted_seconds = 0
    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["file"] == 1


def test_a_file_that_never_arrived_is_sent_again_after_a_while(job, faulty):
    faulty.fails("upload_file", "drop")
    submit(job)
    let_pass(uploading.LOOK_SECONDS)

    assert submit(job).status == JobStatus.QUEUED
    assert (faulty.count("upload_file"), faulty.created["file"]) == (2, 1)


def test_a_refused_file_is_sent_again_at_once(job, faulty):
    faulty.fails("upload_file", "rate_limit")
    submit(job)
    ProviderPace.objects.update(blocked_until=None)  # as long as it wanted

    assert submit(job).status == JobStatus.QUEUED


@pytest.mark.parametrize(
    "odd", [{"filename": "x.jsonl"}, {"bytes": 1}, {"purpose": "batch"}]
)
def test_a_file_that_only_resembles_ours_is_not_used(job, faulty, odd):
    faulty.fails("upload_file", "accept_then_drop")
    submit(job)
    next(iter(faulty.files.values())).update(odd)
    let_pass(uploading.LOOK_SECONDS)

    submit(job)

    assert faulty.created["file"] == 2


def test_two_submissions_of_a_version_send_its_file_once(job, faulty, monkeypatch):
    """The second comes while the first one is sending."""
    second = job_of(job.provider, job.dataset_version)
    told = []

    def meanwhile(*args: Any) -> str:
        monkeypatch.undo()
        told.append(submit(second).poll_problem)
        return real_send(*args)

    real_send = uploading._send
    monkeypatch.setattr(uploading, "_send", meanwhile)
    submit(job)

    assert "Another job uploads the same file" in told[0]
    assert faulty.count("upload_file") == 1
    assert submit(second).status == JobStatus.QUEUED
    assert faulty.count("upload_file") == 1


def test_who_died_while_sending_stands_in_nobodys_way(job, faulty):
    dead = job_of(job.provider, job.dataset_version)
    RemoteFile.objects.create(
        provider=job.provider,
        dataset_version=job.dataset_version,
        split="train",
        sender=dead,
        sending_since=now(),
    )

    assert submit(job).status == JobStatus.QUEUED


def test_another_content_has_another_name():
    assert uploading.file_name(3, "train", "a" * 64) != uploading.file_name(
        3, "train", "b" * 64
    )


def test_a_file_still_in_processing_costs_no_failure(job, faulty, monkeypatch):
    monkeypatch.setattr(uploading, "PROCESSING_WAIT_SECONDS", 0)
    faulty.processing_seconds = 60

    submit(job)

    assert (job.status, job.n_poll_failures) == (JobStatus.PENDING, 0)


def test_a_byte_order_mark_is_sent_where_it_is_wanted(job, faulty, monkeypatch):
    wanting = replace(PROFILES["compatible"], files_begin_with_bom=True)
    monkeypatch.setitem(PROFILES, "compatible", wanting)

    submit(job)

    [file] = faulty.files.values()
    assert file["content"] == b"\xef\xbb\xbf" + content_of(job)


def test_a_file_over_every_limit_fails_the_job_and_says_so(job, faulty, monkeypatch):
    small = replace(PROFILES["compatible"], max_file_bytes=10, max_upload_bytes=0)
    monkeypatch.setitem(PROFILES, "compatible", small)

    submit(job)

    assert job.status == JobStatus.FAILED
    assert "fewer or shorter rows" in job.error["message"]
    assert not faulty.count("upload_file")


# In parts -----------------------------------------------------------------------


def test_a_long_file_goes_in_parts(in_parts, faulty):
    submit(in_parts)

    assert in_parts.status == JobStatus.QUEUED
    [file] = faulty.files.values()
    assert file["content"] == content_of(in_parts)
    assert faulty.count("add_part") == n_parts(in_parts) > 2
    assert not faulty.count("upload_file")
    assert not RemotePart.objects.exists()


def test_the_checksum_of_the_whole_is_sent(in_parts, faulty):
    submit(in_parts)

    [completed] = faulty.sent("POST", "/v1/uploads/[^/]+/complete")
    md5 = hashlib.md5(content_of(in_parts), usedforsecurity=False).hexdigest()
    assert completed.json["md5"] == md5


def test_parts_that_arrived_are_not_sent_again(in_parts, faulty):
    faulty.fails("add_part", "drop", after=2)
    submit(in_parts)

    assert submit(in_parts).status == JobStatus.QUEUED
    assert faulty.count("add_part") == n_parts(in_parts) + 1
    assert faulty.created["upload"] == faulty.created["file"] == 1


def test_a_lost_completion_is_looked_for(in_parts, faulty):
    faulty.fails("complete_upload", "accept_then_drop")
    submit(in_parts)

    assert submit(in_parts).status == JobStatus.QUEUED
    assert faulty.count("complete_upload") == faulty.created["file"] == 1


def test_a_completion_that_never_arrived_is_sent_again(in_parts, faulty):
    faulty.fails("complete_upload", "drop")
    submit(in_parts)
    let_pass(uploading.LOOK_SECONDS)

    assert submit(in_parts).status == JobStatus.QUEUED
    assert faulty.created["upload"] == faulty.created["file"] == 1


def test_an_upload_that_expired_starts_anew(in_parts, faulty):
    faulty.fails("add_part", "drop", after=2)
    submit(in_parts)
    for upload in faulty.uploads.values():
        upload["status"] = "expired"

    assert "starts anew" in submit(in_parts).poll_problem
    assert submit(in_parts).status == JobStatus.QUEUED
    assert (faulty.created["upload"], faulty.created["file"]) == (2, 1)


def test_an_upload_about_to_expire_is_not_gone_on_with(in_parts, faulty):
    faulty.fails("add_part", "drop", after=2)
    submit(in_parts)
    RemoteFile.objects.update(upload_expires_at=now() + timedelta(seconds=5))

    assert submit(in_parts).status == JobStatus.QUEUED
    assert faulty.created["upload"] == 2


def test_a_provider_that_refuses_parts_ends_the_job_with_its_words(in_parts, faulty):
    faulty.refuses("POST", "/v1/uploads/[^/]+/parts", 400, "no parts here")

    submit(in_parts)

    assert in_parts.status == JobStatus.FAILED
    assert "no parts here" in in_parts.error["message"]


def test_no_part_begins_that_the_claim_would_not_outlive(in_parts, faulty, monkeypatch):
    monkeypatch.setattr(parts, "SECONDS_FOR_A_PART", 10_000)

    submit(in_parts)

    assert (in_parts.status, in_parts.n_poll_failures) == (JobStatus.PENDING, 0)
    assert "0 of" in in_parts.poll_problem
    monkeypatch.undo()


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_the_parts_are_the_whole(tmp_path, prefix):
    path = tmp_path / "a.jsonl"
    path.write_bytes(bytes(range(250)))
    file = OutgoingFile(path, "a.jsonl", part_bytes=100, prefix=prefix)

    sent = []
    for number in range(file.n_parts):
        with file.open_part(number) as part:
            sent.append(part.read())
    with file.open() as whole:
        assert b"".join(sent) == whole.read() == prefix + path.read_bytes()
    assert [len(part) for part in sent[:-1]] == [100, 100]
