"""Whatever is asked of a provider counts among the requests that it allows a minute."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Provider, ProviderPace
from jobs_app.services import pace
from jobs_app.services.submitting import REQUESTS
from tests.factories import make_job

pytestmark = pytest.mark.django_db
CREATE = ("POST", "/v1/fine_tuning/jobs")


def launched(provider: Provider) -> FineTuningJob:
    return make_job(provider=provider, status=JobStatus.PENDING, next_poll_at=now())


def n_counted(provider: Provider) -> int:
    return ProviderPace.objects.get(provider=provider).n_requests


def test_a_submission_counts_as_many_as_it_made(provider, fake):
    services.submit_job(launched(provider))

    assert len(fake.requests) > 1
    assert n_counted(provider) == len(fake.requests)


def test_a_file_in_parts_counts_beyond_what_was_reserved(provider, fake, monkeypatch):
    monkeypatch.setattr("jobs_app.services.submitting.REQUESTS", 1)

    services.submit_job(launched(provider))

    assert n_counted(provider) == len(fake.requests)


def test_no_submission_begins_when_the_minute_is_used_up(provider, fake):
    provider.requests_per_minute = REQUESTS
    provider.save()
    pace.reserve_all(provider, 1)
    job = launched(provider)

    services.submit_job(job)

    job.refresh_from_db()
    assert (job.status, fake.requests) == (JobStatus.PENDING, [])
    assert job.next_poll_at is not None
    assert now() < job.next_poll_at <= now() + timedelta(seconds=60)
    assert "waits for its turn" in job.poll_problem
    assert n_counted(provider) == 1


def test_a_provider_that_allows_few_requests_gets_its_jobs_all_the_same(provider):
    provider.requests_per_minute = 1
    provider.save()
    job = launched(provider)

    services.submit_job(job)

    assert job.status == JobStatus.QUEUED


def test_who_wants_to_be_left_alone_gets_no_submission_either(provider, fake):
    fake.answers(*CREATE, 429, {}, headers={"Retry-After": "3000"})
    services.submit_job(launched(provider))
    n_before, second = len(fake.requests), launched(provider)

    services.submit_job(second)

    assert len(fake.requests) == n_before
    second.refresh_from_db()
    assert second.next_poll_at is not None
    assert second.next_poll_at > now() + timedelta(seconds=2900)


def test_an_answer_ends_the_waits_that_grew(provider, fake):
    services.submit_job(launched(provider))
    ProviderPace.objects.update(n_failures=3)

    services.submit_job(launched(provider))

    assert ProviderPace.objects.get().n_failures == 0


def test_a_claim_that_another_worker_won_costs_nothing(provider):
    job = launched(provider)
    stale = FineTuningJob.objects.get(pk=job.pk)
    services.submit_job(job)
    n_before = n_counted(provider)

    services.submit_job(stale)

    assert n_counted(provider) == n_before


def test_a_person_s_cancel_counts_too(provider, fake):
    services.cancel_job(running(provider, fake), by=None)

    assert n_counted(provider) == 1


def test_a_new_minute_begins_with_the_first_request_after_it(provider, fake):
    pace.reserve_all(provider, 5)
    ProviderPace.objects.update(minute_began_at=now() - timedelta(seconds=61))

    services.base_models(provider)

    assert n_counted(provider) == 1
    assert ProviderPace.objects.get().minute_began_at > now() - timedelta(seconds=30)


def running(provider: Provider, fake, **overrides) -> FineTuningJob:
    there = {"status": JobStatus.RUNNING, "remote_id": fake.add_job()["id"]}
    return make_job(provider=provider, **{**there, **overrides})


def test_a_reading_counts_every_page(provider, fake):
    running(provider, fake, next_reading_at=now())

    services.read_histories(provider)

    assert n_counted(provider) == len(fake.requests)


@pytest.mark.parametrize("n_jobs", [2, 5])
def test_a_poll_counts_as_many_as_it_made(provider, fake, n_jobs):
    for _ in range(n_jobs):
        running(provider, fake, next_poll_at=now())

    services.poll_provider(provider)

    assert n_counted(provider) == len(fake.requests)
