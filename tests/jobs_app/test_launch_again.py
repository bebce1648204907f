"""A job that its provider may have: to launch it again may cost twice, so where two
must agree to a launch, two must agree to that."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import (
    FineTuningJob,
    IllegalTransition,
    JobStatus,
    Price,
    Provider,
    Reason,
)
from jobs_app.services import approvals, deciding
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.recognising import unclear_twin
from jobs_app.services.spending import spending_of
from teams_app.models import Role, Team
from tests.factories import make_job, make_member, make_provider, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team(approve_always=True)


@pytest.fixture
def asker(team):
    return make_member(Role.LAUNCHER, team, username="asker")


@pytest.fixture
def other(team):
    return make_member(Role.LAUNCHER, team, username="other")


def unsure(team: Team, **overrides) -> FineTuningJob:
    provider = overrides.pop("provider", None) or make_provider(team=team)
    given = {"status": JobStatus.UNSURE, "create_sent_at": now(), "launched_at": now()}
    return make_job(team=team, provider=provider, **{**given, **overrides})


@pytest.fixture
def asked(team, asker) -> FineTuningJob:
    job = unsure(team)
    services.launch_again(job, by=asker)
    return job


def test_it_waits_for_a_second_person(asked):
    assert asked.status == JobStatus.AWAITING_APPROVAL
    assert asked.approvals.get().reasons == [Reason.AGAIN, Reason.ALWAYS]
    assert asked.create_sent_at is not None


def test_whoever_decided_does_not_agree_with_themselves(asked, asker):
    with pytest.raises(ApprovalRefused, match="yourself"):
        services.approve(asked, by=asker)


def test_the_second_person_has_it_launched_again(asked, other):
    services.approve(asked, by=other)

    assert (asked.status, asked.create_sent_at) == (JobStatus.PENDING, None)
    assert approvals.still_holds(asked)


def test_declined_it_has_to_be_decided_anew(asked, other):
    services.decline(asked, by=other, comment="It is there: look.")

    assert asked.status == JobStatus.UNSURE
    assert asked.create_sent_at is not None


def test_what_was_declined_is_not_created_by_looking_again(
    asked, asker, other, provider, fake
):
    FineTuningJob.objects.update(provider=provider)
    asked.refresh_from_db()
    services.decline(asked, by=other, comment="It is there: look.")
    Provider.objects.update(keeps_metadata=True)
    FineTuningJob.objects.update(create_sent_at="2026-01-01T00:00Z")
    asked.refresh_from_db()
    services.look_again(asked, by=asker)

    services.submit_job(asked)

    assert asked.status == JobStatus.AWAITING_APPROVAL
    assert asked.create_sent_at is None  # for it is not there, beyond doubt
    assert fake.jobs == {}


def test_meanwhile_it_can_still_be_found(asked, asker):
    services.take_as_ours(asked, "ftjob-7", by=asker)

    assert (asked.status, asked.remote_id) == (JobStatus.QUEUED, "ftjob-7")
    assert approvals.open_request(asked) is None


def test_meanwhile_its_twin_is_not_created(asked):
    twin = make_job(
        team=asked.team,
        provider=asked.provider,
        dataset_version=asked.dataset_version,
    )
    assert unclear_twin(twin) == asked


def test_a_launch_that_was_never_sent_is_not_found_anywhere(team, asker):
    job = make_job(team=team, provider=make_provider(team=team))
    services.launch_job(job, by=asker)

    with pytest.raises(IllegalTransition):
        services.take_as_ours(job, "ftjob-7", by=asker)


def test_a_launch_that_two_agreed_to_needs_two_again(asker, other, team):
    job = make_job(team=team, provider=make_provider(team=team))
    services.launch_job(job, by=asker)
    services.approve(job, by=other)
    Team.objects.update(approve_always=False)
    sent = {"status": JobStatus.UNSURE, "create_sent_at": now()}
    FineTuningJob.objects.update(**sent)
    job.refresh_from_db()

    services.launch_again(job, by=asker)

    assert job.status == JobStatus.AWAITING_APPROVAL


def limited(month_limit_usd: int) -> FineTuningJob:
    """May be there, and has a price."""
    team = make_team(month_limit_usd=month_limit_usd)
    Price.objects.create(
        team=team,
        base_model="base-model",
        usd_per_million_tokens=1_000_000,
        as_of="2026-01-01",
    )
    job = unsure(team)
    found = services.estimate_of(job)
    FineTuningJob.objects.update(**found.as_fields())
    job.refresh_from_db()
    return job


def test_its_own_money_is_not_counted_against_it():
    job = limited(0)
    cost = job.estimated_usd
    Team.objects.update(month_limit_usd=cost)
    assert spending_of(job.team).committed == cost

    services.launch_again(job, by=None)

    assert job.status == JobStatus.PENDING


def test_a_limit_holds_for_it_as_well():
    job = limited(0)

    with pytest.raises(ValidationError, match="this month"):
        services.launch_again(job, by=None)
    assert FineTuningJob.objects.get().status == JobStatus.UNSURE


def test_the_page_keeps_asking_where_it_is(client, asked, asker, other):
    client.force_login(other)
    page = client.get(f"/jobs/{asked.pk}/").content.decode()
    assert "wants this job launched again" in page
    assert 'value="take"' in page
    assert 'value="again"' not in page

    client.force_login(asker)
    page = client.get(f"/jobs/{asked.pk}/").content.decode()
    assert "cancel it on the provider" in page


@pytest.mark.parametrize("status", [JobStatus.DRAFT, JobStatus.SUBMITTING])
@pytest.mark.parametrize("decide", [services.launch_again, services.look_again])
def test_what_needs_no_decision_is_not_decided(status, decide):
    """Not even where the step itself would be one that a job may take."""
    job = make_job(status=status, create_sent_at=now())

    with pytest.raises(IllegalTransition, match="needs no decision"):
        decide(job, by=None)
    job.refresh_from_db()
    assert (job.status, job.create_sent_at is None) == (status, False)


def test_an_id_that_another_job_gets_in_this_moment_is_refused(team, monkeypatch):
    job = unsure(team)
    make_job(team=team, provider=job.provider, remote_id="ftjob-7", status="running")
    monkeypatch.setattr(deciding, "_owner_of", lambda *_: None)

    with pytest.raises(ValidationError, match="has this id by now"):
        services.take_as_ours(job, "ftjob-7", by=None)
