"""Reading what a provider wrote of its jobs: nothing twice, nothing lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import EventType, FineTuningJob, JobStatus
from jobs_app.providers import ProviderClient
from jobs_app.services import histories
from tests.factories import make_job
from tests.jobs_app.test_poll_job import wire_checkpoint

JOBS = "/v1/fine_tuning/jobs"
EVENTS = ("GET", f"{JOBS}/[^/]+/events")
CHECKPOINTS = ("GET", f"{JOBS}/[^/]+/checkpoints")
CONTENT = ("GET", "/v1/files/[^/]+/content")
FIGURES = b"step,train_loss\n1,0.5\n2,0.4\n"


@pytest.fixture
def job(provider, fake) -> FineTuningJob:
    return due(provider, fake)


def due(provider, fake, **overrides) -> FineTuningJob:
    remote = fake.add_job(status="running")
    fake.add_event(remote["id"], "one")
    there = {"status": JobStatus.RUNNING, "remote_id": remote["id"]}
    return make_job(
        provider=provider, **{**there, "next_reading_at": now(), **overrides}
    )


def read(job: FineTuningJob) -> FineTuningJob:
    a_moment_ago = now() - timedelta(seconds=1)
    FineTuningJob.objects.filter(pk=job.pk).update(next_reading_at=a_moment_ago)
    services.read_histories(job.provider)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    "fields", [{"remote_id": ""}, {"next_reading_at": now() + timedelta(hours=1)}]
)
def test_what_is_not_there_or_not_due_is_not_read(provider, fake, fields):
    due(provider, fake, **fields)

    assert services.read_histories(provider) == 0
    assert fake.requests == []


def test_a_round_reads_one_provider_s_jobs(provider, fake):
    make_job(status=JobStatus.RUNNING, remote_id="ftjob-9", next_reading_at=now())

    assert services.read_histories(provider) == 0
    assert fake.requests == []


def test_a_round_reads_so_many_and_the_longest_due_first(provider, fake, monkeypatch):
    later = due(provider, fake)
    first = due(provider, fake, next_reading_at=now() - timedelta(minutes=5))
    monkeypatch.setattr(histories, "JOBS_PER_ROUND", 1)

    assert services.read_histories(provider) == 1
    assert first.events.exists()
    assert not later.events.exists()


def test_what_was_not_read_stays_due_with_what_was(provider, fake, monkeypatch):
    at = now() - timedelta(seconds=1)
    jobs = [due(provider, fake, next_reading_at=at) for _ in range(2)]
    monkeypatch.setattr(histories, "JOBS_PER_ROUND", 1)
    for _ in jobs:
        services.read_histories(provider)

    assert all(each.events.exists() for each in jobs)


def test_without_time_left_nothing_more_is_read_and_nothing_lost(
    provider, fake, job, monkeypatch
):
    monkeypatch.setattr(histories, "ENOUGH_SECONDS", 1000)

    assert services.read_histories(provider) == 0
    assert fake.requests == []
    assert services.providers_to_read() == [provider.pk]


def test_a_job_that_runs_is_never_given_up(job, fake):
    long_ago = now() - timedelta(days=9)
    FineTuningJob.objects.update(status_changed_at=long_ago)
    fake.refuses(*EVENTS, 500, "no")

    assert read(job).next_reading_at
    assert not job.events.exists()


def test_a_job_that_moves_while_it_is_read_is_read_again(job, fake, monkeypatch):
    ask = ProviderClient.checkpoints
    at = now() + timedelta(seconds=3)

    def move(client: ProviderClient, job_id: str) -> Any:
        FineTuningJob.objects.update(next_reading_at=at)
        return ask(client, job_id)

    monkeypatch.setattr(ProviderClient, "checkpoints", move)

    assert read(job).next_reading_at == at


def test_checkpoints_that_are_kept_back_for_a_while_lose_no_event(job, fake):
    fake.answers(*CHECKPOINTS, 403, {})
    read(job)
    assert not job.events.exists()

    read(job)
    assert job.events.exists()


@pytest.mark.parametrize("absent", [EVENTS, CHECKPOINTS])
@pytest.mark.parametrize(("status", "n_failures"), [(404, 0), (501, 0), (401, 1)])
def test_what_a_provider_does_not_have_is_no_failure_and_a_refusal_is(
    job, fake, absent, status, n_failures
):
    fake.refuses(*absent, status, "no")

    assert read(job).n_reading_failures == n_failures


def test_a_running_job_is_due_again_after_a_while(job):
    read(job)
    assert services.providers_to_read() == []
    assert job.next_reading_at is not None


def test_a_list_of_checkpoints_that_is_empty_for_once_removes_none(job, fake):
    fake.checkpoints[job.remote_id] = [wire_checkpoint(5)]
    read(job)
    fake.checkpoints[job.remote_id] = []

    assert read(job).checkpoints.count() == 1


def test_checkpoints_that_another_worker_stored_a_moment_ago_are_no_error(
    job, fake, monkeypatch
):
    fake.checkpoints[job.remote_id] = [wire_checkpoint(5)]
    ask = ProviderClient.checkpoints

    def overtaken(client: ProviderClient, job_id: str) -> Any:
        job.checkpoints.create(
            remote_id="ftckpt-5", step_number=5, metrics={}, created_at=now()
        )
        return ask(client, job_id)

    monkeypatch.setattr(ProviderClient, "checkpoints", overtaken)

    assert read(job).checkpoints.count() == 1
    assert job.events.exists()


def figures(job: FineTuningJob) -> list[float]:
    return [point["train_loss"] for point in services.metrics_of(job)]


@pytest.fixture
def succeeded(job) -> FineTuningJob:
    job.status, job.result_files = JobStatus.SUCCEEDED, ["file-1"]
    job.save()
    return job


def test_the_figures_of_a_result_file_are_stored_once(succeeded, fake):
    fake.answers(*CONTENT, 200, FIGURES, times=2)
    read(succeeded)
    succeeded.events.filter(data__step=2).delete()
    read(succeeded)

    assert figures(succeeded) == [0.5]  # what has figures needs no file


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED])
def test_only_what_succeeded_has_its_file_read(succeeded, fake, status):
    FineTuningJob.objects.update(status=status)

    read(succeeded)

    assert fake.sent(*CONTENT) == []


def test_where_events_have_figures_no_file_is_read(succeeded, fake):
    data = {"step": 1, "train_loss": 0.9}
    fake.add_event(succeeded.remote_id, "Step 1", type="metrics", data=data)

    read(succeeded)

    assert succeeded.events.filter(type=EventType.METRICS).count() == 1
    assert fake.sent(*CONTENT) == []


def test_a_result_file_that_cannot_be_had_now_is_read_later(succeeded, fake):
    fake.answers(*CONTENT, 500, {})
    fake.answers(*CONTENT, 200, FIGURES)
    assert read(succeeded).n_reading_failures == 1

    read(succeeded)

    assert figures(succeeded) == [0.5, 0.4]


def test_a_result_file_that_is_gone_holds_nothing_up(succeeded, fake):
    fake.refuses(*CONTENT, 404, "no such file")

    assert read(succeeded).n_reading_failures == 0
    assert succeeded.events.exists()


def test_a_long_name_of_a_file_loses_no_figure(succeeded, fake):
    FineTuningJob.objects.update(result_files=["f" * 200])
    fake.answers(*CONTENT, 200, FIGURES)

    read(succeeded)

    assert figures(succeeded) == [0.5, 0.4]
    assert all(len(each.remote_id) <= 200 for each in succeeded.events.all())


def test_figures_that_another_worker_stored_a_moment_ago_are_no_error(
    succeeded, fake, monkeypatch
):
    fake.answers(*CONTENT, 200, FIGURES)
    ask = ProviderClient.file_content

    def overtaken(client: ProviderClient, file_id: str) -> bytes:
        figure = {"type": EventType.METRICS, "data": {"step": 1, "train_loss": 0.5}}
        succeeded.events.create(remote_id="file-1:1", **figure)
        return ask(client, file_id)

    monkeypatch.setattr(ProviderClient, "file_content", overtaken)

    assert read(succeeded).n_reading_failures == 0
    assert figures(succeeded) == [0.5, 0.4]
