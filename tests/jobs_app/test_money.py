"""What counts as spent, and where exactly a team's limits lie."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import localtime, now

from jobs_app import services
from jobs_app.models import Approval, FineTuningJob, JobStatus, Price, Provider
from jobs_app.services import approvals
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.estimates import estimate_of
from jobs_app.services.launch_rules import ruling_on
from jobs_app.services.spending import spending_of
from teams_app.models import Role, Team
from tests.factories import (
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team()


@pytest.fixture
def provider(team) -> Provider:
    """A token costs a dollar there."""
    as_of, usd = "2026-01-01", 1_000_000
    Price.objects.create(
        team=team, base_model="base-model", usd_per_million_tokens=usd, as_of=as_of
    )
    return make_provider(team=team)


def launched(provider: Provider, **overrides: Any) -> FineTuningJob:
    """A job that costs five dollars."""
    costs = {"estimated_tokens": 5, "usd_per_million_tokens": 1_000_000}
    there = {"status": JobStatus.RUNNING, "remote_id": "ftjob-1", "launched_at": now()}
    return make_job(provider=provider, **{**costs, **there, **overrides})


def cost(provider: Provider) -> Decimal:
    usd = estimate_of(make_job(provider=provider)).usd
    assert usd is not None
    return usd


def test_another_team_s_money_is_not_this_team_s(team, provider):
    other = make_provider()
    Approval.objects.create(job=launched(other, status=JobStatus.AWAITING_APPROVAL))
    Approval.objects.update(usd=5)
    launched(other, remote_id="ftjob-2")

    spending = spending_of(team)

    assert (spending.total, spending.waiting, spending.n_unknown) == (0, 0, 0)


def test_what_was_launched_before_this_month_counts_no_more(team, provider):
    last_month = localtime().replace(day=1) - timedelta(days=1)
    launched(provider, launched_at=last_month)

    assert spending_of(team).total == 0


def test_one_job_can_be_left_out(team, provider):
    job = launched(provider)

    assert spending_of(team).committed == 5
    assert spending_of(team, but=job).committed == 0


def test_what_was_decided_does_not_wait(team, provider):
    job = launched(provider, status=JobStatus.AWAITING_APPROVAL)
    Approval.objects.create(job=job, usd=5)
    assert spending_of(team).waiting == 5

    Approval.objects.update(decided_at=now())
    assert spending_of(team).waiting == 0


@pytest.mark.parametrize(
    ("fields", "n"),
    [
        ({"usd_per_million_tokens": None}, 1),
        ({"estimated_tokens": None}, 1),
        ({"estimated_tokens": None, "trained_tokens": 3}, 0),
        ({"estimated_tokens": None, "usd_per_million_tokens": 0}, 0),
        ({"status": JobStatus.FAILED, "remote_id": "", "estimated_tokens": None}, 0),
    ],
)
def test_what_nobody_knows_the_cost_of_is_counted(team, provider, fields, n):
    launched(provider, **fields)

    assert spending_of(team).n_unknown == n


@pytest.mark.parametrize("limit", ["launch_limit_usd", "month_limit_usd"])
@pytest.mark.parametrize(("beyond", "may_run"), [(0, True), (-1, False)])
def test_a_launch_may_cost_all_that_is_allowed_and_no_more(
    team, provider, limit, beyond, may_run
):
    Team.objects.update(**{limit: cost(provider) + beyond})
    job = make_job(provider=provider)

    if may_run:
        assert services.launch_job(job, by=None)
    else:
        with pytest.raises(ValidationError, match="would cost"):
            services.launch_job(job, by=None)


def test_a_job_is_not_in_its_own_way(team, provider):
    """It was launched, it may have been lost, and is to be launched again."""
    Team.objects.update(month_limit_usd=cost(provider) + 1)
    team.refresh_from_db()
    job = launched(provider, status=JobStatus.UNSURE, remote_id="")

    assert ruling_on(job, team, estimate_of(job)).refusals == []


@pytest.mark.parametrize(("unapproved", "waits"), [(True, True), (False, False)])
def test_approved_rows_need_no_second_person(team, provider, unapproved, waits):
    Team.objects.update(approve_unapproved_rows=True)
    dataset = make_dataset(team=team)
    version = make_version(dataset=dataset, has_unapproved_rows=unapproved)
    job = make_job(provider=provider, dataset_version=version)

    services.launch_job(job, by=None)

    assert (job.status == JobStatus.AWAITING_APPROVAL) is waits


def test_unapproved_rows_alone_ask_nobody_where_no_rule_says_so(provider):
    job = make_job(provider=provider)
    assert job.dataset_version.has_unapproved_rows

    services.launch_job(job, by=None)

    assert job.status == JobStatus.PENDING


@pytest.fixture
def waiting(team, provider) -> FineTuningJob:
    Team.objects.update(approve_always=True)
    job = make_job(provider=provider)
    services.launch_job(job, by=make_member(Role.LAUNCHER, team))
    return job


def test_an_approval_lifts_no_limit_that_was_set_meanwhile(team, provider, waiting):
    Team.objects.update(launch_limit_usd=cost(provider) - 1)

    with pytest.raises(ValidationError, match="would cost"):
        services.approve(waiting, by=make_member(Role.LAUNCHER, team))

    waiting.refresh_from_db()
    assert waiting.status == JobStatus.AWAITING_APPROVAL


def test_a_job_that_was_never_asked_for_is_not_decided(team, provider):
    with pytest.raises(ApprovalRefused, match="waits for no approval"):
        services.approve(launched(provider), by=make_member(Role.LAUNCHER, team))


def test_what_was_decided_before_is_not_the_open_request(team, waiting):
    services.decline(waiting, by=make_member(Role.LAUNCHER, team), comment="No.")

    assert approvals.open_request(waiting) is None


def test_a_request_that_is_withdrawn_leaves_the_others(team, provider, waiting):
    decided_at = now() - timedelta(days=1)
    Approval.objects.create(job=waiting, is_approved=False, decided_at=decided_at)
    Approval.objects.create(job=make_job(provider=provider))

    approvals.withdraw(waiting)

    assert Approval.objects.filter(decided_at=None).count() == 1
    assert Approval.objects.filter(decided_at=decided_at).count() == 1


def test_a_long_reason_is_cut(team, waiting):
    comment = "x" * (approvals.LONGEST_COMMENT + 1)

    services.decline(waiting, by=make_member(Role.LAUNCHER, team), comment=comment)

    assert len(waiting.approvals.get().comment) == approvals.LONGEST_COMMENT
