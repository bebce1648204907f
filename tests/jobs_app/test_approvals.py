"""The second person: who may agree to what, and that nothing else runs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid5

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils.timezone import now

from datasets_app.services import freeze
from jobs_app import services
from jobs_app.models import (
    Approval,
    FineTuningJob,
    JobStatus,
    Price,
    Provider,
    Reason,
)
from jobs_app.services import approvals
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.estimates import estimate_of
from jobs_app.services.spending import spending_of
from teams_app.models import AuditEntry, Role, Team
from teams_app.services import make_token
from tests.factories import (
    make_example,
    make_job,
    make_member,
    make_provider,
    make_team,
)

pytestmark = pytest.mark.django_db


def priced(team: Team, usd_per_million: int = 1_000_000) -> Provider:
    """A provider whose price makes every token cost a dollar, if none is given."""
    provider = make_provider(team=team)
    Price.objects.create(
        team=team,
        base_model="base-model",
        usd_per_million_tokens=usd_per_million,
        as_of="2026-01-01",
    )
    return provider


def draft(team: Team, **overrides) -> FineTuningJob:
    provider = overrides.pop("provider", None) or make_provider(team=team)
    return make_job(team=team, provider=provider, **overrides)


@pytest.fixture
def team() -> Team:
    return make_team(approve_always=True)


def test_a_retry_is_the_same_again_whoever_took_its_key_before(team):
    """Else somebody else would ask for a launch that is not theirs to ask for."""
    mina, asker = make_member(Role.LAUNCHER, team), make_member(Role.LAUNCHER, team)
    failed = draft(team, status=JobStatus.FAILED)
    key = uuid5(failed.launch_key, "retry")
    taken = services.clone_job(failed, by=mina, launch_key=key, base_model="another")

    again = services.retry_job(failed, by=asker)

    assert again == taken
    assert (again.base_model, again.created_by) == (failed.base_model, asker)


def test_a_refused_launch_is_corrected_under_the_same_key(team):
    refused = draft(team, hyperparameters={"n_epochs": 50})
    key, mended = refused.launch_key, {"n_epochs": 1}

    job = services.clone_job(refused, by=None, launch_key=key, hyperparameters=mended)

    assert job == refused
    job.refresh_from_db()
    assert job.hyperparameters == mended


@pytest.fixture
def asker(team):
    return make_member(Role.LAUNCHER, team, username="asker")


@pytest.fixture
def other(team):
    return make_member(Role.LAUNCHER, team, username="other")


@pytest.fixture
def waiting(team, asker) -> FineTuningJob:
    job = draft(team)
    services.launch_job(job, by=asker)
    return job


def test_a_launch_that_needs_a_second_person_waits(waiting):
    assert waiting.status == JobStatus.AWAITING_APPROVAL
    assert services.claim_due_submissions() == []


def test_another_launcher_approves_and_the_workers_get_it(waiting, other):
    assert services.approve(waiting, by=other)

    assert waiting.status == JobStatus.PENDING
    assert services.claim_due_submissions() == [waiting.pk]


def test_nobody_approves_their_own(waiting, asker):
    with pytest.raises(ApprovalRefused, match="yourself"):
        services.approve(waiting, by=asker)
    assert waiting.status == JobStatus.AWAITING_APPROVAL


def test_not_even_the_database_lets_one_person_do_both(waiting, asker):
    with pytest.raises(IntegrityError), transaction.atomic():
        waiting.approvals.update(decided_by=asker, decided_at=now())


def test_a_job_has_one_open_request(waiting):
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(job=waiting)


def test_declining_needs_a_reason(waiting, other):
    with pytest.raises(ApprovalRefused, match="Say why"):
        services.decline(waiting, by=other, comment=" ")


def test_what_is_declined_never_runs(waiting, other):
    services.decline(waiting, by=other, comment="Too early.")

    assert waiting.status == JobStatus.DECLINED
    assert waiting.approvals.get().comment == "Too early."
    with pytest.raises(ApprovalRefused):
        services.approve(waiting, by=other)


def test_a_provider_that_moved_is_not_what_was_asked_for(waiting, other):
    Provider.objects.update(base_url="https://elsewhere.example/v1")

    with pytest.raises(ApprovalRefused, match="not what was asked for"):
        services.approve(waiting, by=other)


@pytest.mark.parametrize(
    ("of", "name", "value"),
    [
        ("provider", "kind", "nebius"),
        ("provider", "base_url", "https://elsewhere.example/v1"),
        ("provider", "api_version", "2026-01-01"),
        ("provider", "extra_body", {"lora": False}),
        ("dataset_version", "training_sha256", "0"),
        ("dataset_version", "validation_sha256", "0"),
        ("", "base_model", "larger"),
        ("", "hyperparameters", {"n_epochs": 9}),
        ("", "suffix", "other"),
        ("", "seed", 7),
    ],
)
def test_whatever_decides_what_runs_is_part_of_what_was_asked(waiting, of, name, value):
    asked = approvals.terms_of(waiting)

    setattr(getattr(waiting, of) if of else waiting, name, value)

    assert approvals.terms_of(waiting) != asked


def test_so_are_the_provider_and_the_version_themselves(waiting):
    asked = approvals.terms_of(waiting)
    provider, version = waiting.provider, waiting.dataset_version
    waiting.provider = make_provider(base_url=provider.base_url, name=provider.name)
    assert approvals.terms_of(waiting) != asked

    waiting.provider, version.pk = provider, version.pk + 1
    assert approvals.terms_of(waiting) != asked


def test_an_approval_of_other_terms_than_the_page_showed_is_refused(waiting, other):
    with pytest.raises(ApprovalRefused, match="not what was asked for"):
        services.approve(waiting, by=other, seen="0" * 64)


def test_a_job_that_changed_after_its_approval_waits_again(waiting, other, provider):
    services.approve(waiting, by=other)
    FineTuningJob.objects.filter(pk=waiting.pk).update(seed=7)
    waiting.refresh_from_db()

    services.submit_job(waiting)

    assert waiting.status == JobStatus.AWAITING_APPROVAL
    assert waiting.approvals.first().reasons == [Reason.CHANGED]


def test_what_was_sent_is_looked_for_before_its_approval_counts_as_lost(
    waiting, other, provider, fake
):
    """The provider trains what was approved; a new approval would buy it twice."""
    FineTuningJob.objects.update(provider=provider)
    waiting.refresh_from_db()
    Approval.objects.update(terms=approvals.terms_of(waiting))
    services.approve(waiting, by=other)
    remote = fake.add_job(metadata={"launch_key": str(waiting.launch_key)})
    changed = {"seed": 7, "create_sent_at": now()}
    FineTuningJob.objects.update(**changed)
    waiting.refresh_from_db()

    services.submit_job(waiting)

    assert waiting.remote_id == remote["id"]


def test_a_draft_that_changes_during_its_launch_is_not_launched(team, asker):
    job = draft(team)
    FineTuningJob.objects.filter(pk=job.pk).update(seed=7)

    with pytest.raises(ValidationError, match="changed this draft"):
        services.launch_job(job, by=asker)


def test_whoever_asked_may_withdraw(waiting, asker):
    services.cancel_job(waiting, by=asker)

    assert waiting.status == JobStatus.CANCELLED
    assert approvals.open_request(waiting) is None


def test_the_estimate_of_the_approval_is_kept(asker, other, team):
    job = draft(team, provider=priced(team))
    services.launch_job(job, by=asker)
    Price.objects.update(usd_per_million_tokens=2_000_000)

    services.approve(job, by=other)

    request = Approval.objects.get()
    assert request.usd
    assert request.decided_usd == 2 * request.usd == job.estimated_usd


def test_a_launch_above_the_limit_is_refused_in_money(asker):
    team = make_team(launch_limit_usd=1)
    job = draft(team, provider=priced(team))

    with pytest.raises(ValidationError, match=r"1\.00 USD for one launch"):
        services.launch_job(job, by=asker)


def test_a_launch_above_the_limit_may_ask_instead(asker):
    team = make_team(launch_limit_usd=1, approve_above_limit=True)
    job = draft(team, provider=priced(team))

    services.launch_job(job, by=asker)

    assert job.approvals.get().reasons == [Reason.LAUNCH_LIMIT]


def test_an_unknown_cost_counts_as_above_the_limit(asker):
    job = draft(make_team(launch_limit_usd=1_000_000))

    with pytest.raises(ValidationError, match="no price for base-model"):
        services.launch_job(job, by=asker)


def test_the_built_in_server_is_below_every_limit(asker):
    team = make_team(launch_limit_usd=0, month_limit_usd=0)
    spent = {"trained_tokens": 1_000_000, "usd_per_million_tokens": 1}
    done = {"status": JobStatus.SUCCEEDED, "remote_id": "ftjob-1"}
    draft(team, launched_at=now(), **spent, **done)
    job = draft(team, provider=make_provider(team=team, kind="built_in"))

    services.launch_job(job, by=asker)

    assert job.status == JobStatus.PENDING


def test_rows_that_nobody_approved_need_a_second_person(asker):
    team = make_team(approve_unapproved_rows=True)
    job = draft(team)

    services.launch_job(job, by=asker)

    assert job.approvals.get().reasons == [Reason.UNAPPROVED_ROWS]


@pytest.mark.parametrize(("state", "is_so"), [("approved", False), ("draft", True)])
def test_a_version_knows_whether_all_its_rows_were_approved(state, is_so):
    example = make_example(state="approved")
    make_example(dataset=example.dataset, state=state)
    version = freeze(dataset=example.dataset, by=None)
    assert version.has_unapproved_rows is is_so


def test_money_is_spent_committed_or_waiting(team, asker, other):
    provider = priced(team)
    money = {"provider": provider, "launched_at": now(), "usd_per_million_tokens": 1}
    million = {"estimated_tokens": 1_000_000, **money}
    draft(team, status=JobStatus.RUNNING, remote_id="ftjob-1", **million)
    done = {"trained_tokens": 3_000_000, "remote_id": "ftjob-2", **million}
    draft(team, status=JobStatus.SUCCEEDED, **done)
    draft(team, status=JobStatus.FAILED, **million)
    draft(team, status=JobStatus.PENDING, provider=provider, launched_at=now())

    spending = spending_of(team)

    assert (spending.spent, spending.committed) == (Decimal(3), Decimal(1))
    assert spending.n_unknown == 1


def cost_of_one(provider: Provider) -> Decimal:
    job = draft(provider.team, provider=provider)
    return estimate_of(job).usd or Decimal(0)


def one_and_a_half(provider: Provider) -> None:
    """Room in this month for one job of the provider, and not for two."""
    limit = cost_of_one(provider) * Decimal("1.5")
    Team.objects.filter(pk=provider.team_id).update(month_limit_usd=limit)


def test_a_launch_counts_what_was_launched_while_it_was_estimated(monkeypatch):
    provider = priced(make_team())
    one_and_a_half(provider)
    job, rival = (draft(provider.team, provider=provider) for _each in "ab")

    def rival_is_first(job: FineTuningJob) -> services.Estimate:
        monkeypatch.undo()
        services.launch_job(rival, by=None)
        return estimate_of(job)

    monkeypatch.setattr("jobs_app.services.launching.estimate_of", rival_is_first)

    with pytest.raises(ValidationError, match="spent or committed already"):
        services.launch_job(job, by=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_of_two_launches_at_once_one_fits_under_the_months_limit():
    provider = priced(make_team())
    one_and_a_half(provider)
    jobs = [draft(provider.team, provider=provider) for _each in range(4)]
    begin = threading.Barrier(len(jobs))

    def launch(job: FineTuningJob) -> bool:
        try:
            begin.wait()
            return services.launch_job(job, by=None)
        except ValidationError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        launched = list(pool.map(launch, jobs))

    assert sorted(launched) == [False, False, False, True]


def test_the_page_offers_the_decision_to_others_only(client, waiting, asker, other):
    page = reverse("jobs:detail", args=[waiting.pk])
    client.force_login(asker)
    assert "Approve and launch" not in client.get(page).content.decode()
    client.force_login(other)
    assert "Approve and launch" in client.get(page).content.decode()


def test_a_superuser_does_not_approve_their_own(client, team):
    boss = make_member(Role.OWNER, team, is_superuser=True)
    job = draft(team)
    services.launch_job(job, by=boss)
    client.force_login(boss)

    client.post(reverse("jobs:approve", args=[job.pk]))

    job.refresh_from_db()
    assert job.status == JobStatus.AWAITING_APPROVAL


def test_the_portal_approves(client, waiting, other):
    client.force_login(other)
    client.post(reverse("jobs:approve", args=[waiting.pk]), {"seen": ""})
    waiting.refresh_from_db()
    assert waiting.status == JobStatus.PENDING


def test_the_api_declines_with_a_reason(client, waiting, other):
    token = make_token(user=other, name="script")
    answer = client.post(
        f"/api/jobs/{waiting.pk}/decline",
        {"comment": "Too early."},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.json()["approval"]["comment"] == "Too early."
    entry = AuditEntry.objects.filter(verb="declined").get()
    assert (entry.door, entry.who) == ("token", "other")


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_curators_decide_about_nothing(client, waiting, team, verb):
    client.force_login(make_member(Role.CURATOR, team))
    answer = client.post(reverse(f"jobs:{verb}", args=[waiting.pk]), {"comment": "x"})
    assert answer.status_code == 403


def test_another_team_does_not_even_see_it(client, waiting):
    client.force_login(make_member(Role.OWNER))
    answer = client.post(reverse("jobs:approve", args=[waiting.pk]))
    assert answer.status_code == 404
    assert "Nothing waits" in client.get(reverse("jobs:waiting")).content.decode()


def test_the_admin_declines_with_a_reason(client, waiting, other):
    client.force_login(other)
    client.post(
        reverse("admin:jobs_app_finetuningjob_changelist"),
        {"action": "decline", "_selected_action": [waiting.pk], "comment": "No."},
    )
    waiting.refresh_from_db()
    assert waiting.status == JobStatus.DECLINED


@pytest.mark.parametrize(
    ("second", "is_told"),
    [(Role.LAUNCHER, False), (Role.REVIEWER, True)],
)
def test_a_rule_that_nobody_could_keep_is_told_on_the_teams_page(
    client, team, second, is_told
):
    client.force_login(make_member(Role.OWNER, team))
    make_member(second, team)

    page = client.get(reverse("teams:detail", args=[team.pk])).text

    assert ("Nobody else could approve" in page) is is_told
