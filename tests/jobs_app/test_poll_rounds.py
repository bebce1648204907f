"""One round of polls: whose jobs it asks about, how many, and when it asks nothing."""

from datetime import timedelta

from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Provider, ProviderPace
from jobs_app.providers import ProviderUnavailable
from jobs_app.services import listing, pace, polling
from jobs_app.services.pace import Work
from tests.factories import make_job, make_provider
from tests.jobs_app.fake_provider import FakeProvider
from tests.jobs_app.polls import hide, make_due, poll, poll_all

JOBS = "/v1/fine_tuning/jobs"
RETRIEVE = ("GET", f"{JOBS}/[^/]+")
EVENTS = ("GET", f"{JOBS}/[^/]+/events")
CANCEL = ("POST", f"{JOBS}/[^/]+/cancel")


def running(provider: Provider, fake: FakeProvider, **overrides) -> FineTuningJob:
    remote = fake.add_job(status="running")
    there = {"status": JobStatus.RUNNING, "remote_id": remote["id"]}
    return make_job(provider=provider, **{**there, **overrides})


def several(provider: Provider, fake: FakeProvider, n: int = 5) -> list[FineTuningJob]:
    """So many that the list is read."""
    return [running(provider, fake, remote_status="running") for _ in range(n)]


def test_nobody_polls_a_provider_that_somebody_else_polls(provider, fake):
    running(provider, fake)

    with pace.lease(provider, Work.POLL, seconds=60):
        assert services.poll_provider(provider) == 0

    assert fake.requests == []


def test_nobody_polls_a_provider_that_wants_to_be_left_alone(provider, fake):
    running(provider, fake)
    with pace.lease(provider, Work.POLL, seconds=60):
        pace.block(provider, ProviderUnavailable("busy", retry_after=99))

    assert services.poll_provider(provider) == 0
    assert fake.requests == []
    assert services.providers_to_poll() == []


def test_nobody_reads_where_somebody_else_reads(provider, fake):
    running(provider, fake, next_reading_at=now())

    with pace.lease(provider, Work.READ, seconds=60):
        assert services.read_histories(provider) == 0


def test_a_job_of_another_provider_with_the_same_id_is_not_meant(provider, fake):
    jobs = several(provider, fake)
    elsewhere = make_job(
        provider=make_provider(),
        status=JobStatus.QUEUED,
        remote_id=jobs[0].remote_id,
        next_poll_at=now() + timedelta(hours=1),
    )

    poll_all(provider)

    elsewhere.refresh_from_db()
    assert elsewhere.status == JobStatus.QUEUED
    assert elsewhere.last_polled_at is None


def test_a_poll_is_about_one_provider_s_jobs(provider, fake):
    elsewhere = make_job(status=JobStatus.QUEUED, remote_id="ftjob-elsewhere")
    running(provider, fake)

    services.poll_provider(provider)

    elsewhere.refresh_from_db()
    assert (elsewhere.n_poll_failures, elsewhere.last_polled_at) == (0, None)
    assert len(fake.requests) == 1


def test_what_has_ended_stays_so_whatever_the_list_says(provider, fake):
    *others, ended = several(provider, fake)
    FineTuningJob.objects.filter(pk=ended.pk).update(status=JobStatus.SUCCEEDED)

    poll_all(provider)

    ended.refresh_from_db()
    assert ended.status == JobStatus.SUCCEEDED
    assert FineTuningJob.objects.filter(last_polled_at=None).get() == ended


def test_an_answer_ends_the_waits_that_grew_for_all(provider, fake):
    running(provider, fake)
    ProviderPace.objects.create(provider=provider, n_failures=3)

    poll_all(provider)

    assert ProviderPace.objects.get(provider=provider).n_failures == 0


def test_a_round_in_which_nothing_was_asked_ends_no_wait(provider, fake):
    running(provider, fake)
    provider.requests_per_minute = 1
    provider.save()
    with pace.lease(provider, Work.READ, seconds=60):
        assert pace.reserve(provider, 1) == 1
    ProviderPace.objects.update(n_failures=3)

    assert services.poll_provider(provider) == 0

    assert ProviderPace.objects.get(provider=provider).n_failures == 3


def test_a_list_is_not_read_beyond_its_end(provider, fake):
    hide(fake, several(provider, fake, 8)[:5])

    services.poll_provider(provider)

    assert len(fake.sent("GET", JOBS)) == 1


def test_the_list_is_not_read_again_at_once_for_what_it_hides(provider, fake):
    hide(fake, several(provider, fake, 8))
    for _ in range(4):
        poll_all(provider)

    assert len(fake.sent("GET", JOBS)) == 2


def test_a_job_that_was_never_created_is_not_asked_about(provider, fake):
    make_job(provider=provider, status=JobStatus.QUEUED, next_poll_at=now())

    assert services.providers_to_poll() == []
    assert services.poll_provider(provider) == 0


def test_a_provider_that_is_busy_is_asked_about_no_second_job(provider, fake):
    running(provider, fake), running(provider, fake)
    fake.answers(*RETRIEVE, 429, {}, headers={"retry-after": "70"})

    poll_all(provider)

    assert len(fake.requests) == 1
    in_a_minute = now() + timedelta(seconds=60)
    assert FineTuningJob.objects.filter(next_poll_at__gt=in_a_minute).count() == 2


def test_one_job_that_is_not_told_of_holds_up_no_other(provider, fake):
    silent, other = running(provider, fake), running(provider, fake)
    fake.answers("GET", f"{JOBS}/{silent.remote_id}", 500, {})

    poll_all(provider)

    other.refresh_from_db()
    assert other.last_polled_at is not None


def test_a_wish_to_cancel_is_not_told_where_nothing_can_be_cancelled(provider, fake):
    provider.abilities = {"cancel": False}
    provider.save()
    job = running(provider, fake, cancel_requested_at=now())

    poll(job)

    assert fake.sent(*CANCEL) == []
    assert job.last_polled_at is not None


def test_a_cancel_that_comes_too_late_is_no_problem(provider, fake):
    job = running(provider, fake, cancel_requested_at=now())
    fake.refuses(*CANCEL, 400, "already finished")
    fake.jobs[job.remote_id]["status"] = "succeeded"

    poll(job)

    assert (job.status, job.poll_problem) == (JobStatus.SUCCEEDED, "")


def test_of_many_that_end_at_once_a_few_are_read_first(provider, fake):
    for job in several(provider, fake, polling.READ_FIRST + 3):
        fake.jobs[job.remote_id]["status"] = "succeeded"

    services.poll_provider(provider)

    assert len(fake.sent(*EVENTS)) == polling.READ_FIRST
    ended = FineTuningJob.objects.filter(status=JobStatus.SUCCEEDED)
    assert ended.exclude(next_reading_at=None).count() == polling.READ_FIRST + 3


def test_without_time_left_no_further_job_is_asked_about(provider, fake, monkeypatch):
    running(provider, fake)
    monkeypatch.setattr(polling, "ENOUGH_SECONDS", 1000)

    services.poll_provider(provider)

    assert fake.requests == []
    assert services.providers_to_poll() == [provider.pk]


def test_without_time_left_no_further_page_is_read(provider, fake, monkeypatch):
    several(provider, fake)
    monkeypatch.setattr(listing, "ENOUGH_SECONDS", 1000)
    monkeypatch.setattr(polling, "ENOUGH_SECONDS", 1000)

    services.poll_provider(provider)

    assert fake.requests == []
    assert not FineTuningJob.objects.filter(is_listed=False).exists()


def test_a_listing_that_failed_begins_anew(provider, fake):
    several(provider, fake)
    with pace.lease(provider, Work.POLL, seconds=60):
        pace.leave_cursor(provider, "ftjob-gone")
    fake.refuses("GET", JOBS, 400, "no such job: ftjob-gone")

    poll_all(provider)

    assert ProviderPace.objects.get(provider=provider).list_after == ""
    assert not FineTuningJob.objects.filter(last_polled_at=None).exists()  # singly


def test_a_listing_taken_up_in_the_middle_hides_nothing_before_it(provider, fake):
    jobs = several(provider, fake, 8)
    with pace.lease(provider, Work.POLL, seconds=60):
        pace.leave_cursor(provider, jobs[5].remote_id)  # newer ones are not shown

    make_due(provider)
    services.poll_provider(provider)

    assert not FineTuningJob.objects.filter(is_listed=False).exists()
