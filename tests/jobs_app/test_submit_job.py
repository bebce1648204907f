from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.advice import what_to_do
from jobs_app.models import FineTuningJob, JobStatus, RemoteFile
from jobs_app.services import submitting, uploading
from tests.factories import chat_lines, make_dataset, make_job, make_version

CREATE = ("POST", "/v1/fine_tuning/jobs")
UPLOAD = ("POST", "/v1/files")


@pytest.fixture
def job(provider) -> FineTuningJob:
    dataset = make_dataset(team=provider.team)
    version = make_version(dataset=dataset, number=3, validation=chat_lines(2))
    return make_job(
        provider=provider, dataset_version=version, status=JobStatus.PENDING
    )


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def test_of_two_copies_of_a_job_only_one_moves(job):
    copy = FineTuningJob.objects.get(pk=job.pk)

    assert job.move_to(JobStatus.SUBMITTING)
    assert not copy.move_to(JobStatus.SUBMITTING)


def test_a_copy_from_an_earlier_visit_to_the_same_status_does_not_move(job):
    copy = FineTuningJob.objects.get(pk=job.pk)
    job.move_to(JobStatus.SUBMITTING)
    job.move_to(JobStatus.PENDING)

    assert not copy.move_to(JobStatus.SUBMITTING)


def test_a_job_is_created_with_its_files_and_its_launch_key(job, fake):
    submit(job)

    assert job.status == JobStatus.QUEUED
    assert job.remote_id in fake.jobs
    [created] = fake.sent(*CREATE)
    names = {fid: file["filename"] for fid, file in fake.files.items()}
    assert names[created.json["training_file"]].startswith("dataset-v3-train-")
    assert names[created.json["validation_file"]].startswith("dataset-v3-validation-")
    assert created.json["metadata"] == {"launch_key": str(job.launch_key)}
    assert created.headers["x-stainless-retry-count"] == "0"


def test_the_exact_bytes_of_the_version_are_sent(job, fake):
    submit(job)

    sent = b"".join(file["content"] for file in fake.files.values())
    assert Path(job.dataset_version.training_file.path).read_bytes() in sent


def test_only_the_knobs_that_were_set_are_sent(job, fake):
    FineTuningJob.objects.update(hyperparameters={"n_epochs": 2}, seed=0)

    submit(job)

    [created] = fake.sent(*CREATE)
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    assert created.json["method"] == method
    assert created.json["seed"] == 0
    assert "suffix" not in created.json


def test_a_job_the_provider_already_has_is_not_created_again(job, fake):
    theirs = fake.add_job(metadata={"launch_key": str(job.launch_key)})

    submit(job)

    assert job.remote_id == theirs["id"]
    assert not fake.sent(*CREATE)


def test_a_server_that_ignores_the_metadata_filter_is_read_to_the_end(job, fake):
    fake.has_metadata_filter = False
    theirs = fake.add_job(metadata={"launch_key": str(job.launch_key)})
    for _ in range(150):
        fake.add_job(metadata=None)

    submit(job)

    assert job.remote_id == theirs["id"]


def test_a_server_that_lists_without_end_does_not_hold_the_worker(job, fake):
    fake.has_metadata_filter, fake.ignores_after = False, True
    fake.add_job()

    submit(job)

    assert job.status == JobStatus.QUEUED
    assert len(fake.sent("GET", "/v1/fine_tuning/jobs")) == 2


def test_an_answer_lost_after_the_job_was_accepted_buys_no_second_one(job, fake):
    fake.answers(*CREATE, 500, {}, accept_first=True)

    submit(job)
    assert job.status == JobStatus.PENDING
    submit(job)

    assert job.status == JobStatus.QUEUED
    assert list(fake.jobs) == [job.remote_id]
    assert len(fake.sent(*CREATE)) == 1


def test_after_an_unclear_answer_the_job_waits_and_says_why(job, fake):
    fake.answers(*CREATE, 503, {"error": {"message": "we are full"}})

    submit(job)

    assert job.next_poll_at > now()
    assert "we are full" in job.poll_problem
    assert "looked for" in job.events.last().message


def test_each_failure_doubles_the_wait(job, fake):
    fake.answers("GET", "/v1/fine_tuning/jobs", 503, {}, times=99)
    waits = []
    for _ in range(3):
        submit(job)
        waits.append(job.next_poll_at - now())

    assert waits[0] < waits[1] < waits[2]


def test_a_wait_the_provider_asks_for_is_kept(job, fake):
    fake.answers(*CREATE, 429, {}, headers={"Retry-After": "3000"})

    submit(job)

    assert job.next_poll_at - now() > timedelta(seconds=2900)


def test_a_wrong_key_fails_the_job_and_says_where_to_change_it(job, fake, provider):
    provider.api_key = "sk-old"
    provider.save()

    submit(job)

    assert job.status == JobStatus.FAILED
    assert "API key" in job.error["message"]
    assert "under Providers" in what_to_do(job)
    assert job.finished_at is not None
    assert job.next_poll_at is None


def test_an_organisation_that_is_cut_off_is_told_to_go_elsewhere(job, fake):
    fake.refuses(*CREATE, 403, "No more training", "training_not_available")

    submit(job)

    assert job.status == JobStatus.FAILED
    assert "another provider" in what_to_do(job)
    assert job.error["code"] == "training_not_available"


def test_a_file_is_uploaded_once_for_all_jobs_of_a_version(job, fake):
    submit(job)
    again = make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        status=JobStatus.PENDING,
    )

    submit(again)

    assert again.status == JobStatus.QUEUED
    assert len(fake.sent(*UPLOAD)) == 2  # training and validation, once each


def test_a_file_deleted_at_the_provider_is_uploaded_again(job, fake):
    submit(job)
    again = make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        status=JobStatus.PENDING,
    )
    fake.files.clear()

    submit(again)

    assert again.status == JobStatus.QUEUED
    assert set(RemoteFile.objects.values_list("remote_id", flat=True)) == set(
        fake.files
    )


def test_a_file_the_provider_cannot_read_fails_the_job_in_its_words(job, fake):
    fake.file_status = "error"
    words = {"status_details": "Example 7 cannot be parsed"}
    fake.answers(
        "GET", "/v1/files/.*", 200, {"id": "file-1", "status": "error", **words}
    )

    submit(job)

    assert job.status == JobStatus.FAILED
    assert "Example 7 cannot be parsed" in job.error["message"]


def test_a_file_that_is_never_processed_does_not_hold_the_worker(
    job, fake, monkeypatch
):
    monkeypatch.setattr(uploading, "PROCESSING_WAIT_SECONDS", 0)
    fake.file_status = "uploaded"

    submit(job)

    assert job.status == JobStatus.PENDING
    assert "still processing" in job.poll_problem
    for file in fake.files.values():
        file["status"] = "processed"
    assert submit(job).status == JobStatus.QUEUED
    assert len(fake.sent(*UPLOAD)) == 2


def test_a_frozen_file_that_is_gone_fails_the_job_and_says_what_to_do(job, fake):
    job.dataset_version.training_file.delete(save=False)

    submit(job)

    assert job.status == JobStatus.FAILED
    assert "backup" in job.error["message"]


def test_a_full_disk_at_the_server_is_waited_out(job, fake):
    fake.answers(*UPLOAD, 507, {"error": {"message": "no space left on the disk"}})

    submit(job)

    assert job.status == JobStatus.PENDING
    assert "no space left" in job.poll_problem


def test_a_job_cancelled_during_the_upload_is_never_created(job, fake, monkeypatch):
    def cancel(*args: object) -> None:
        services.cancel_job(FineTuningJob.objects.get(pk=job.pk), by=None)

    monkeypatch.setattr(submitting, "wait_until_processed", cancel)

    submit(job)

    assert job.status == JobStatus.CANCELLED
    assert not fake.sent(*CREATE)


def test_an_unknown_word_for_the_new_jobs_state_counts_as_queued(job, fake):
    fake.answers(*CREATE, 200, {"id": "ftjob-9", "status": "hatching"})

    submit(job)

    assert job.status == JobStatus.QUEUED
    assert job.events.filter(message__contains="hatching").exists()
