from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Provider, ProviderPace
from jobs_app.providers import ProviderClient
from jobs_app.services.listing import BARREN_PAGES
from jobs_app.services.polling import SINGLES_PER_ROUND
from tests.factories import make_dataset, make_version
from tests.jobs_app.polls import hide, make_due, poll_all

LIST = ("GET", "/v1/fine_tuning/jobs")
RETRIEVE = ("GET", "/v1/fine_tuning/jobs/[^/]+")
EVENTS = ("GET", "/v1/fine_tuning/jobs/[^/]+/events")


@pytest.fixture
def version(provider):
    return make_version(dataset=make_dataset(team=provider.team))


def add_jobs(provider, version, fake, n: int, **fields: Any) -> list[FineTuningJob]:
    """Queued jobs, here and at the provider, oldest first."""
    jobs = [
        FineTuningJob(
            team=provider.team,
            provider=provider,
            dataset_version=version,
            base_model="base-model",
            remote_id=fake.add_job()["id"],
            **{"status": JobStatus.QUEUED, "remote_status": "queued", **fields},
        )
        for _ in range(n)
    ]
    return FineTuningJob.objects.bulk_create(jobs)


def wait_of(job: FineTuningJob) -> timedelta:
    job.refresh_from_db()
    assert job.next_poll_at is not None
    return job.next_poll_at - now()


def n_never_polled(provider: Provider) -> int:
    return FineTuningJob.objects.filter(provider=provider, last_polled_at=None).count()


def statuses(provider: Provider) -> set[str]:
    return set(provider.finetuningjob_set.values_list("status", flat=True))


def next_minute(provider: Provider) -> None:
    an_hour_ago = now() - timedelta(hours=1)
    ProviderPace.objects.filter(provider=provider).update(minute_began_at=an_hour_ago)


def test_a_hundred_jobs_are_one_request(provider, version, fake):
    add_jobs(provider, version, fake, 250)

    assert poll_all(provider) == 3
    assert n_never_polled(provider) == 0
    assert len(fake.requests) == 3


def test_a_change_is_learnt_from_the_list_and_only_that_job_is_read(
    provider, version, fake
):
    *_others, moved = add_jobs(provider, version, fake, 20)
    fake.jobs[moved.remote_id]["status"] = "running"
    fake.add_event(moved.remote_id, "Fine-tuning job started")

    poll_all(provider)

    moved.refresh_from_db()
    assert moved.status == JobStatus.RUNNING
    assert moved.events.filter(message="Fine-tuning job started").exists()
    assert len(fake.sent(*EVENTS)) == 1
    assert fake.sent(*RETRIEVE) == []


def test_few_jobs_behind_many_of_others_are_asked_about_singly(provider, version, fake):
    add_jobs(provider, version, fake, 2)
    for _ in range(300):
        fake.add_job()

    assert poll_all(provider) == 2
    assert fake.sent(*LIST) == []


def test_pages_without_a_job_of_ours_are_left_after_a_while(provider, version, fake):
    add_jobs(provider, version, fake, 8)
    for _ in range(1000):
        fake.add_job()

    assert poll_all(provider) == BARREN_PAGES + 8
    assert n_never_polled(provider) == 0


def test_of_a_thousand_jobs_none_starves_though_the_list_hides_some(
    provider, version, fake
):
    jobs = add_jobs(provider, version, fake, 1000)
    hide(fake, jobs[::40])
    for _ in range(3):
        assert n_never_polled(provider) > 0
        make_due(provider)
        FineTuningJob.objects.filter(is_listed=True).exclude(
            last_polled_at=None
        ).update(
            next_poll_at=now() - timedelta(hours=1)  # longer due than the hidden ones
        )
        services.poll_provider(provider)

    assert n_never_polled(provider) == 0


def test_a_provider_without_a_list_is_asked_singly_a_few_at_a_time(
    provider, version, fake
):
    add_jobs(provider, version, fake, 15)
    fake.refuses(*LIST, 404, "no such url")

    assert poll_all(provider) == SINGLES_PER_ROUND
    assert n_never_polled(provider) == 5
    poll_all(provider)
    assert n_never_polled(provider) == 0


def test_a_job_that_the_list_hid_is_looked_for_in_it_again(provider, version, fake):
    jobs = add_jobs(provider, version, fake, 8)
    everything = fake.jobs
    hide(fake, jobs)
    poll_all(provider)
    assert not FineTuningJob.objects.filter(is_listed=True).exists()
    fake.jobs = everything

    assert poll_all(provider) == 1
    assert not FineTuningJob.objects.filter(is_listed=False).exists()


def test_a_listing_that_ran_out_of_requests_goes_on_where_it_stopped(
    provider, version, fake
):
    add_jobs(provider, version, fake, 500)
    provider.requests_per_minute = 2
    provider.save()
    for n_left in (300, 100, 0):
        next_minute(provider)
        services.poll_provider(provider)
        assert n_never_polled(provider) == n_left


def test_a_provider_is_never_asked_more_often_than_it_may_be(provider, version, fake):
    add_jobs(provider, version, fake, 500)
    provider.requests_per_minute = 3
    provider.save()
    for _ in range(4):
        poll_all(provider)

    assert len(fake.requests) == 3


def test_what_the_provider_says_when_busy_holds_for_all_its_jobs(
    provider, version, fake
):
    jobs = add_jobs(provider, version, fake, 20)
    fake.answers(*LIST, 429, {}, headers={"retry-after": "70"})

    poll_all(provider)

    in_a_minute = now() + timedelta(seconds=60)
    waiting = FineTuningJob.objects.filter(next_poll_at__gt=in_a_minute)
    assert waiting.filter(n_poll_failures=1).count() == 20
    assert services.providers_to_poll() == []
    assert jobs[0].events.filter(message__startswith="poll failed").count() == 1


def test_the_waits_after_failures_grow(provider, version, fake):
    add_jobs(provider, version, fake, 20)
    fake.answers(*LIST, 500, {}, times=2)
    waits = []
    for _ in range(2):
        poll_all(provider)
        until = ProviderPace.objects.get().blocked_until
        assert until is not None
        waits.append(until - now())

    assert waits[1] > 1.4 * waits[0]


def test_a_list_that_always_fails_does_not_hide_the_jobs(provider, version, fake):
    add_jobs(provider, version, fake, 8, status=JobStatus.QUEUED)
    for job in fake.jobs.values():
        job["status"] = "running"
    fake.answers(*LIST, 500, {}, times=99)
    for _ in range(4):
        poll_all(provider)

    assert statuses(provider) == {JobStatus.RUNNING}


def test_what_was_learnt_before_a_failure_is_kept(provider, version, fake):
    jobs = add_jobs(provider, version, fake, 150)
    newest = [fake.jobs[job.remote_id] for job in jobs[:-101:-1]]
    fake.answers(*LIST, 200, {"data": newest, "has_more": True})
    fake.answers(*LIST, 500, {})

    poll_all(provider)

    assert n_never_polled(provider) == 50


def test_a_list_that_ignores_the_cursor_is_left_after_one_round(
    provider, version, fake
):
    add_jobs(provider, version, fake, 120)
    fake.ignores_after = True

    assert poll_all(provider) == 2 + SINGLES_PER_ROUND


def test_an_odd_item_spoils_no_page(provider, version, fake):
    jobs = add_jobs(provider, version, fake, 8)
    good = [fake.jobs[job.remote_id] for job in jobs]
    odd = [None, 3, "text", {}, {"id": None}, {"id": "x" * 300}, {"id": "ftjob-odd"}]
    fake.answers(*LIST, 200, {"data": [*odd, *good]})

    assert poll_all(provider) == 1
    assert n_never_polled(provider) == 0


@pytest.mark.parametrize("body", [[], None, 3, "no", {}, {"data": None}, b"<html>"])
def test_what_is_no_list_is_a_failure(provider, version, fake, body):
    add_jobs(provider, version, fake, 8)
    fake.answers(*LIST, 200, body)

    poll_all(provider)

    assert FineTuningJob.objects.filter(n_poll_failures=1).count() == 8


def test_a_wish_to_cancel_is_repeated_though_the_list_shows_the_job(
    provider, version, fake
):
    *_others, job = add_jobs(provider, version, fake, 8)
    FineTuningJob.objects.filter(pk=job.pk).update(cancel_requested_at=now())

    poll_all(provider)

    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_job_that_became_due_during_the_poll_stays_due(
    provider, version, fake, monkeypatch
):
    job = add_jobs(provider, version, fake, 8)[0]

    list_jobs = ProviderClient.list_jobs

    def with_webhook(client: ProviderClient, **asked: Any) -> Any:
        page = list_jobs(client, **asked)
        FineTuningJob.objects.filter(pk=job.pk).update(next_poll_at=now())
        return page

    monkeypatch.setattr(ProviderClient, "list_jobs", with_webhook)
    services.poll_provider(provider)

    assert services.providers_to_poll() == [provider.pk]


def test_the_longer_a_state_lasts_the_less_often_it_is_asked_about(
    provider, version, fake
):
    new, old = add_jobs(provider, version, fake, 2)
    yesterday = now() - timedelta(hours=25)
    FineTuningJob.objects.filter(pk=old.pk).update(status_changed_at=yesterday)

    poll_all(provider)

    assert wait_of(old) > 10 * wait_of(new)


def test_a_running_job_is_read_now_and_then_though_it_does_not_move(
    provider, version, fake
):
    [job] = add_jobs(provider, version, fake, 1)
    fake.jobs[job.remote_id]["status"] = "running"
    poll_all(provider)
    fake.add_event(job.remote_id, "Step 100")

    poll_all(provider)

    assert job.events.filter(message="Step 100").exists()


def test_reading_leaves_requests_for_the_polls(provider, version, fake):
    add_jobs(provider, version, fake, 30, next_reading_at=now())
    provider.requests_per_minute = 20
    provider.save()

    with_pace = ProviderPace.objects.create(provider=provider)
    assert services.read_histories(provider) == 5
    with_pace.refresh_from_db()
    assert with_pace.n_requests == 10
