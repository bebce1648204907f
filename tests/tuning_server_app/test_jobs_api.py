"""/v1/fine_tuning/jobs."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    BASE,
    make_checkpoint,
    make_file,
    make_job,
    make_key,
    make_model,
)
from tuning_server_app.models import FilePurpose, JobStatus, Organization, TuningJob
from tuning_server_app.services.jobs import cancel_job

JOBS = "/v1/fine_tuning/jobs"


def create(api: Client, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return api.post(JOBS, body, "application/json", headers=headers)


@pytest.fixture
def training_file(organization: Organization) -> str:
    return make_file(organization).wire_id


def test_a_new_job_waits_for_the_check_of_its_files(api: Client, training_file: str):
    job = create(api, model=BASE, training_file=training_file).json()
    assert job["status"] == "validating_files"
    assert job["organization_id"] == "acme"
    assert job["error"] is None
    assert job["result_files"] == []
    assert 0 <= job["seed"] < 2**31
    assert job["hyperparameters"]["n_epochs"] == "auto"


def test_a_new_job_says_so_in_its_log(api: Client, training_file: str):
    job = create(api, model=BASE, training_file=training_file).json()
    events = api.get(f"{JOBS}/{job['id']}/events").json()["data"]
    assert [event["message"] for event in events] == [
        f"Validating training file: {training_file}",
        f"Created fine-tuning job: {job['id']}",
    ]


def test_what_the_client_said_is_echoed(api: Client, training_file: str):
    metadata = {"launch_key": "열쇠"}
    job = create(
        api,
        model=BASE,
        training_file=training_file,
        validation_file=training_file,
        suffix="card-game",
        seed=42,
        metadata=metadata,
    ).json()
    assert (job["seed"], job["metadata"]) == (42, metadata)
    assert job["validation_file"] == training_file
    assert job["user_provided_suffix"] == "card-game"


def test_a_job_for_preferences_says_so(api: Client, training_file: str):
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3}}}
    job = create(api, model=BASE, training_file=training_file, method=method).json()
    assert job["method"]["dpo"]["hyperparameters"]["beta"] == 0.3
    assert TuningJob.objects.get().method == "dpo"


def test_an_unknown_model_is_not_found(api: Client, training_file: str):
    response = create(api, model="gpt-5", training_file=training_file)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("param", ["training_file", "validation_file"])
def test_an_unknown_file_is_refused(api: Client, training_file: str, param: str):
    files = {"training_file": training_file, param: "file-unknown"}
    response = api.post(JOBS, {"model": BASE, **files}, "application/json")
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_a_file_of_results_is_refused(api: Client, organization: Organization):
    results = make_file(organization, purpose=FilePurpose.FINE_TUNE_RESULTS)
    response = create(api, model=BASE, training_file=results.wire_id)
    assert response.json()["error"]["code"] == "invalid_training_file"


def test_training_goes_on_from_a_model_of_ours(
    api: Client, organization: Organization, training_file: str
):
    tuned = make_model(make_job(organization=organization))
    job = create(api, model=tuned.name, training_file=training_file).json()
    assert job["model"] == tuned.name
    assert TuningJob.objects.get(wire_id=job["id"]).base_model == BASE


def test_an_idempotency_key_makes_one_job(api: Client, training_file: str):
    headers = {"Idempotency-Key": "once"}
    first, second = (
        create(api, headers, model=BASE, training_file=training_file).json()["id"]
        for _ in range(2)
    )
    assert first == second


def test_an_idempotency_key_is_for_one_request(api: Client, training_file: str):
    headers = {"Idempotency-Key": "once"}
    create(api, headers, model=BASE, training_file=training_file)
    other = create(api, headers, model=BASE, training_file=training_file, seed=1)
    assert other.status_code == 400
    assert other.json()["error"]["code"] == "idempotency_key_reused"


def test_a_marked_retry_makes_no_second_job(api: Client, training_file: str):
    first, retry = (
        create(
            api, {"X-Stainless-Retry-Count": n}, model=BASE, training_file=training_file
        )
        for n in ("0", "1")
    )
    assert retry.json()["id"] == first.json()["id"]


def test_a_marked_retry_of_another_request_is_a_job_of_its_own(
    api: Client, training_file: str
):
    first = create(api, model=BASE, training_file=training_file).json()
    retry = {"X-Stainless-Retry-Count": "1"}
    other = create(api, retry, model=BASE, training_file=training_file, seed=1).json()
    assert (other["id"] != first["id"], other["seed"]) == (True, 1)


def test_a_marked_retry_long_after_is_a_job_of_its_own(api: Client, training_file: str):
    first = create(api, model=BASE, training_file=training_file).json()
    TuningJob.objects.update(created_at=now() - timedelta(minutes=11))
    retry = {"X-Stainless-Retry-Count": "1"}
    later = create(api, retry, model=BASE, training_file=training_file).json()
    assert later["id"] != first["id"]


def test_the_same_request_without_a_mark_is_a_job_of_its_own(
    api: Client, training_file: str
):
    for _ in range(2):
        create(api, model=BASE, training_file=training_file)
    assert TuningJob.objects.count() == 2


def test_a_marked_retry_from_another_key_is_a_job_of_its_own(
    api: Client, training_file: str, organization: Organization
):
    create(api, model=BASE, training_file=training_file)
    headers = {
        "X-Stainless-Retry-Count": "1",
        "Authorization": f"Bearer {make_key(organization)[1]}",
    }
    create(api, headers, model=BASE, training_file=training_file)
    assert TuningJob.objects.count() == 2


@pytest.mark.parametrize(
    "status", [JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.RUNNING]
)
def test_a_job_can_be_cancelled_until_it_ends(
    api: Client, organization: Organization, status: JobStatus
):
    job = make_job(organization=organization, status=status)
    response = api.post(
        f"{JOBS}/{job.wire_id}/cancel", b"", content_type="application/json"
    )
    assert response.json()["status"] == "cancelled"
    assert response.json()["finished_at"] is not None


def test_an_ended_job_cannot_be_cancelled(api: Client, organization: Organization):
    job = make_job(organization=organization, status=JobStatus.SUCCEEDED)
    response = api.post(f"{JOBS}/{job.wire_id}/cancel")
    assert response.status_code == 400  # 409 would be repeated by the client
    assert "already ended" in response.json()["error"]["message"]


def test_a_job_that_moves_during_the_cancel_is_cancelled_all_the_same(
    organization: Organization,
):
    job = make_job(organization=organization, status=JobStatus.QUEUED)
    stale = TuningJob.objects.get(pk=job.pk)
    job.move_to(JobStatus.RUNNING, "taken", claim="0" * 32)
    cancel_job(stale)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def ids(response: Any) -> list[str]:
    assert response.status_code == 200
    return [row["id"] for row in response.json()["data"]]


def test_jobs_are_listed_newest_first(api: Client, organization: Organization):
    first, second = (make_job(organization=organization).wire_id for _ in range(2))
    assert ids(api.get(JOBS)) == [second, first]
    assert ids(api.get(f"{JOBS}?after={second}")) == [first]
    assert ids(api.get(f"{JOBS}?limit=0")) == []
    assert ids(api.get(f"{JOBS}?after=after")) == []


@pytest.mark.parametrize("key", ["launch_key", "1", 'qu"ote', "열쇠", "a__gt", "$.a"])
def test_jobs_are_found_by_metadata(api: Client, organization: Organization, key: str):
    job = make_job(organization=organization, metadata={key: "v", "other": ""})
    make_job(organization=organization, metadata={key: "w", "other": ""})
    make_job(organization=organization)
    name = f"metadata[{key}]"
    assert ids(api.get(JOBS, {name: "v"})) == [job.wire_id]
    assert ids(api.get(JOBS, {name: "v", "metadata[other]": ""})) == [job.wire_id]
    assert ids(api.get(JOBS, {name: "v", "metadata[other]": "x"})) == []


def test_jobs_without_metadata_are_found(api: Client, organization: Organization):
    make_job(organization=organization, metadata={"a": "b"})
    bare = make_job(organization=organization).wire_id
    emptied = make_job(organization=organization, metadata={}).wire_id
    assert ids(api.get(f"{JOBS}?metadata=null")) == [emptied, bare]


def test_checkpoints_are_listed(api: Client, organization: Organization):
    job = make_job(organization=organization)
    first, second = (make_checkpoint(job, n).wire_id for n in (1, 2))
    page = api.get(f"{JOBS}/{job.wire_id}/checkpoints?limit=1").json()
    assert [row["id"] for row in page["data"]] == [second]
    assert page["data"][0]["metrics"] == {"step": 2, "train_loss": 0.5}
    path = f"{JOBS}/{job.wire_id}/checkpoints?after={second}"
    assert ids(api.get(path)) == [first]
