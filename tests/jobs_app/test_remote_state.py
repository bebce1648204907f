"""What a provider says of a job, written over what is known: never an older word."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import ProviderRejected, ProviderUnavailable, RemoteJob
from jobs_app.services.poll_failures import note_failure
from jobs_app.services.remote_state import has_moved, store_remote_state, touch
from tests.factories import make_dataset, make_job, make_provider, make_version
from tests.jobs_app.polls import poll_all

pytestmark = pytest.mark.django_db


def running(**overrides: Any) -> FineTuningJob:
    there = {
        "status": JobStatus.RUNNING,
        "remote_id": "ftjob-1",
        "remote_status": "running",
    }
    return make_job(**{**there, **overrides})


def told(status: JobStatus | None = JobStatus.RUNNING, **overrides: Any) -> RemoteJob:
    word = {"status_word": status.value if status else "meditating"}
    return RemoteJob("ftjob-1", status, **{**word, **overrides})


def seen_again(job: FineTuningJob) -> FineTuningJob:
    return FineTuningJob.objects.get(pk=job.pk)


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"status": JobStatus.PAUSED},
        {"status_changed_at": now() + timedelta(seconds=5)},  # paused and resumed
        {"remote_status": "stopping"},
    ],
)
def test_a_word_that_is_older_than_what_is_known_is_not_stored(meanwhile):
    late = running()
    FineTuningJob.objects.update(**meanwhile, trained_tokens=9)

    assert not store_remote_state(late, told(None, trained_tokens=5))
    assert seen_again(late).trained_tokens == 9
    assert not late.events.exists()


def test_a_word_about_one_job_is_stored_with_that_one_only():
    job = running()
    other = running(provider=make_provider(), status_changed_at=job.status_changed_at)

    store_remote_state(job, told(trained_tokens=5))

    assert seen_again(other).trained_tokens is None


def test_what_the_provider_leaves_out_stays_known():
    job = running(trained_tokens=5, result_files=["file-1"], fine_tuned_model="ft:x")

    store_remote_state(job, told())

    assert job.trained_tokens == 5
    assert (job.result_files, job.fine_tuned_model) == (["file-1"], "ft:x")


def test_an_answer_with_another_id_changes_no_id():
    job = running()

    store_remote_state(job, RemoteJob("ftjob-2", JobStatus.RUNNING))

    assert job.remote_id == "ftjob-1"


@pytest.mark.parametrize(
    ("remote", "is_new"),
    [
        (told(), False),
        (told(JobStatus.QUEUED), True),
        (told(status_word="warming up"), True),
        (told(trained_tokens=5), True),
        (told(result_files=["file-1"]), True),
    ],
)
def test_whatever_is_new_counts_as_a_move(remote, is_new):
    assert has_moved(running(), remote) is is_new


def test_a_state_without_a_word_is_told_of_to_nobody():
    job = running()

    store_remote_state(job, told(None, status_word=""))

    assert not job.events.exists()
    assert job.status == JobStatus.RUNNING


def test_another_state_by_the_same_word_is_a_move():
    assert has_moved(running(remote_status="queued"), told(JobStatus.QUEUED))


def test_a_glance_makes_nothing_due_that_ended_meanwhile():
    job = running()
    FineTuningJob.objects.update(status=JobStatus.CANCELLED, next_poll_at=None)

    touch([(job, told())], now())

    assert seen_again(job).next_poll_at is None


def test_a_glance_is_about_the_jobs_that_were_seen():
    at = now() - timedelta(minutes=1)
    job, other = running(next_poll_at=at), running(next_poll_at=at)

    touch([(job, told())], now())

    assert seen_again(other).next_poll_at == at
    assert seen_again(job).last_polled_at is not None


def test_a_new_word_about_the_end_is_kept_at_a_glance():
    job, soon = running(), now() + timedelta(minutes=9)

    touch([(job, told(estimated_finish_at=soon))], now())

    assert seen_again(job).estimated_finish_at == soon


def test_what_ends_is_due_no_more_and_has_an_end():
    job = running(estimated_finish_at=now())

    store_remote_state(job, told(JobStatus.CANCELLED))

    assert job.finished_at is not None
    assert (job.next_poll_at, job.estimated_finish_at) == (None, None)


def test_a_failure_without_a_reason_says_that_there_is_none():
    job = running()

    store_remote_state(job, told(JobStatus.FAILED))

    assert job.error["message"] == "the provider gave no reason"


@pytest.mark.parametrize(
    ("kind", "validation", "status", "is_due"),
    [
        ("built_in", b"{}\n", JobStatus.SUCCEEDED, True),
        ("built_in", b"", JobStatus.SUCCEEDED, False),
        ("built_in", b"{}\n", JobStatus.FAILED, False),
        ("openai", b"{}\n", JobStatus.SUCCEEDED, False),
    ],
)
def test_models_are_compared_at_once_only_where_that_costs_nothing(
    kind, validation, status, is_due
):
    provider = make_provider(kind=kind)
    dataset = make_dataset(team=provider.team)
    version = make_version(dataset=dataset, validation=validation)
    job = running(provider=provider, dataset_version=version)

    store_remote_state(job, told(status))

    assert (job.next_comparison_at is not None) is is_due


@pytest.mark.parametrize("times", [1, 5])
def test_a_failure_that_comes_too_late_is_not_noted(times):
    job = running(n_poll_failures=times)
    FineTuningJob.objects.update(status=JobStatus.SUCCEEDED, next_poll_at=None)

    note_failure(job, ProviderRejected("gone", status=404))

    ended = seen_again(job)
    assert (ended.status, ended.next_poll_at) == (JobStatus.SUCCEEDED, None)


def test_a_failure_about_one_job_is_noted_with_that_one_only():
    job, other = running(), running()

    note_failure(job, ProviderUnavailable("no", status=500))

    assert seen_again(job).n_poll_failures == 1
    assert seen_again(other).n_poll_failures == 0


def test_a_provider_that_stays_away_is_told_of_once_in_each_job(
    provider: Provider, fake
):
    for _ in range(5):
        remote = fake.add_job(status="running")
        running(provider=provider, remote_id=remote["id"])
    fake.refuses("GET", "/v1/fine_tuning/jobs", 503, "busy")
    for _ in range(2):
        poll_all(provider)

    jobs = FineTuningJob.objects.filter(n_poll_failures=2)
    assert [job.events.count() for job in jobs] == [1] * 5
