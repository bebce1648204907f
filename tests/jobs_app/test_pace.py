"""How much a provider is asked: what is counted, for whom, and how far."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import JobStatus, Provider, ProviderPace
from jobs_app.providers import ProviderUnavailable
from jobs_app.services import pace
from jobs_app.services.pace import Work
from tests.factories import make_job, make_provider

pytestmark = pytest.mark.django_db
BUSY = ProviderUnavailable("busy", retry_after=99)


@pytest.fixture
def one() -> Provider:
    return make_provider(requests_per_minute=10)


def row_of(provider: Provider) -> dict[str, Any]:
    return dict(ProviderPace.objects.filter(provider=provider).values().get())


def test_what_is_noted_of_one_provider_is_noted_of_no_other(one):
    other = make_provider()
    for provider, failed in ((one, 3), (other, 7)):
        ProviderPace.objects.create(
            provider=provider, n_requests=5, n_failures=failed, list_after="ftjob-1"
        )
    make_job(provider=one, status=JobStatus.QUEUED, is_listed=False)
    before = row_of(other)

    with pace.lease(one, Work.POLL, seconds=60):
        pace.reserve(one, 2)
        pace.give_back(one, 1)
        pace.leave_cursor(one, "ftjob-2")
        assert pace.may_look_again(one, one.finetuningjob_set.all())
        pace.unblock(one)
        pace.block(one, BUSY)
        assert row_of(other) == before

    assert row_of(other) == before
    assert [pace.is_blocked(each) for each in (one, other)] == [True, False]
    assert (pace.n_failures(other), pace.cursor(other)) == (7, "ftjob-1")
    assert pace.free_at(other) < pace.free_at(one)


def test_the_end_of_a_lease_ends_no_other_provider_s(one):
    other = make_provider()
    with pace.lease(other, Work.POLL, seconds=60):
        with pace.lease(one, Work.POLL, seconds=60):
            pass
        assert row_of(other)["polled_until"] is not None


def test_a_minute_that_was_overdrawn_grants_nothing_and_owes_nothing(one):
    ProviderPace.objects.create(provider=one, n_requests=50)

    assert pace.reserve(one, 5) == 0
    assert row_of(one)["n_requests"] == 50


def test_no_more_is_granted_than_is_wanted_or_left(one):
    ProviderPace.objects.create(provider=one)

    assert [pace.reserve(one, 7), pace.reserve(one, 7)] == [7, 3]


def test_what_is_given_back_in_a_new_minute_is_not_counted_below_nothing(one):
    ProviderPace.objects.create(provider=one, n_requests=1)

    pace.give_back(one, 5)

    assert row_of(one)["n_requests"] == 0


def test_whoever_wants_to_be_left_alone_grants_nothing(one):
    ProviderPace.objects.create(provider=one)
    pace.block(one, BUSY)

    assert pace.reserve(one, 1) == 0
    assert pace.free_at(one) > now() + timedelta(seconds=80)


def test_a_new_minute_has_all_its_requests(one):
    long_ago, began = now() - timedelta(seconds=90), now()
    ProviderPace.objects.create(provider=one, n_requests=9, minute_began_at=long_ago)

    assert pace.free_at(one) >= began
    assert pace.reserve(one, 5) == 5
    assert row_of(one)["n_requests"] == 5


def test_a_wait_that_is_over_holds_nobody_up(one):
    ended = now() - timedelta(seconds=1)
    ProviderPace.objects.create(provider=one, blocked_until=ended, n_failures=1)

    assert pace.reserve(one, 1) == 1
    assert pace.free_at(one) > ended


def test_what_was_not_granted_as_a_whole_is_not_counted(one):
    ProviderPace.objects.create(provider=one, n_requests=8)

    assert pace.reserve_all(one, 5) == 0
    assert row_of(one)["n_requests"] == 8


def test_the_list_is_looked_at_again_after_a_while_only(one):
    ProviderPace.objects.create(provider=one)
    make_job(provider=one, status=JobStatus.QUEUED, is_listed=False)
    hidden = one.finetuningjob_set.all()

    assert pace.may_look_again(one, hidden)
    assert not pace.may_look_again(one, hidden)
    ProviderPace.objects.update(look_again_at=now())
    assert pace.may_look_again(one, hidden)


def test_no_more_jobs_are_asked_about_than_requests_are_left(provider, fake):
    for _ in range(3):
        remote = fake.add_job(status="running")
        there = {"status": JobStatus.RUNNING, "remote_id": remote["id"]}
        make_job(provider=provider, **there)
    provider.requests_per_minute = 2
    provider.save()

    services.poll_provider(provider)

    assert len(fake.requests) == 2
