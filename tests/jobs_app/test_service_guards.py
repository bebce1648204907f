"""Small promises of the services, each by itself."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from datasets_app import services as datasets
from jobs_app import services
from jobs_app.models import (
    TOLD_CHOICES,
    Delivery,
    FineTuningJob,
    Heartbeat,
    JobStatus,
    LeftoverFile,
    Notice,
    NoticeChoice,
    NoticeKind,
    Webhook,
)
from jobs_app.providers import ProviderRejected, RemoteJob
from jobs_app.services import (
    broker,
    claiming,
    due_times,
    estimates,
    leftovers,
    recognising,
    teams,
)
from jobs_app.services.fitting import check_fits
from jobs_app.services.heartbeats import STALE_SECONDS, TICK, Pulse, tick_seconds
from teams_app import audit
from teams_app.models import AuditEntry, Role
from tests.factories import (
    make_job,
    make_member,
    make_provider,
    make_user,
)

pytestmark = pytest.mark.django_db
S = JobStatus


class Broken(Exception):
    """The database fails at this very line."""


def broken(*_given: Any, **_named: Any) -> None:
    raise Broken


# Webhooks and notices ---------------------------------------------------------------


@pytest.fixture
def owner():
    return make_member(Role.OWNER)


@pytest.fixture
def hook(owner) -> Webhook:
    webhook = Webhook(url="https://hooks.example/x", name="ours")
    teams.add_webhook(webhook, team=owner.teams.get(), by=owner)
    return webhook


def add(hook: Webhook, by: Any) -> None:
    teams.add_webhook(Webhook(url=hook.url), team=hook.team, by=by)


HOOK_ACTS: dict[str, Any] = {
    "created": add,
    "key_changed": lambda hook, by: teams.renew_secret(hook, by=by),
    "resumed": lambda hook, by: teams.switch_on(hook, by=by),
    "deleted": lambda hook, by: teams.remove_webhook(hook, by=by),
}


def hooks() -> list[tuple[int, str, str]]:
    return [(row.pk, row.secret, row.problem) for row in Webhook.objects.order_by("pk")]


@pytest.mark.parametrize("verb", HOOK_ACTS)
def test_a_webhook_changes_together_with_its_line_in_the_log(
    verb, owner, hook, monkeypatch
):
    Webhook.objects.update(problem="gone")
    before, act = hooks(), HOOK_ACTS[verb]
    act(hook, owner)
    assert hooks() != before
    assert AuditEntry.objects.filter(verb=verb, thing="webhook").exists()

    Webhook.objects.update(problem="gone")
    before = hooks()
    hook = Webhook.objects.first() or Webhook(pk=hook.pk, team=hook.team)
    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(Broken):
        act(hook, owner)
    assert hooks() == before


def test_a_webhook_that_cannot_be_removed_is_not_said_to_be(owner, hook, monkeypatch):
    monkeypatch.setattr(Webhook, "delete", broken)
    with pytest.raises(Broken):
        teams.remove_webhook(hook, by=owner)
    assert not AuditEntry.objects.filter(verb="deleted").exists()


def test_a_team_has_so_many_webhooks_and_no_more(owner, hook, monkeypatch):
    monkeypatch.setattr(teams, "MOST_WEBHOOKS", 2)
    add(hook, owner)
    with pytest.raises(ValidationError, match="has 2 webhooks"):
        add(hook, owner)


def test_what_one_chooses_to_hear_of_is_ones_own_and_stored_as_a_whole(monkeypatch):
    user, other = make_user(), make_user()
    for each in (user, other):
        teams.choose_notices(each, ["failed"])
    teams.choose_notices(user, ["finished"])
    kept = set(NoticeChoice.objects.values_list("user", "kind"))
    assert kept == {(user.pk, "finished"), (other.pk, "failed")}

    monkeypatch.setattr(NoticeChoice.objects, "bulk_create", broken)
    with pytest.raises(Broken):
        teams.choose_notices(user, ["failed"])
    assert set(NoticeChoice.objects.values_list("user", "kind")) == kept


def test_a_test_is_nothing_to_choose_to_hear_of():
    assert NoticeKind.TEST not in dict(TOLD_CHOICES)


def test_a_delivery_is_named_by_whom_it_goes_to(hook, owner):
    notice = Notice.objects.create(team=hook.team, kind=NoticeKind.TEST, key="1")
    assert str(Delivery(notice=notice, webhook=hook)).endswith(f"→ {hook}")
    assert str(Delivery(notice=notice, user=owner)).endswith(f"→ {owner}")


# Estimates --------------------------------------------------------------------------


@pytest.fixture
def _counted(monkeypatch):
    found = SimpleNamespace(is_counted=True, as_fields=lambda: {**KEPT})
    monkeypatch.setattr(estimates, "estimate_of", lambda _job: found)


KEPT = {"estimated_tokens": 9, "usd_per_million_tokens": 8}


def completed(job: FineTuningJob) -> int | None:
    estimates.complete_estimates(job.provider)
    job.refresh_from_db()
    return job.estimated_tokens


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize(
    ("fields", "n"),
    [
        ({"status": S.SUCCEEDED, "finished_at": now(), "launched_at": now()}, 9),
        ({"status": S.AWAITING_APPROVAL}, None),
    ],
)
def test_what_was_launched_is_estimated_though_it_ended_meanwhile(fields, n):
    assert completed(make_job(**fields)) == n


@pytest.mark.usefixtures("_counted")
def test_what_is_estimated_already_takes_no_place(monkeypatch):
    monkeypatch.setattr(estimates, "COMPLETED_AT_ONCE", 1)
    launched = {"status": S.RUNNING, "launched_at": now()}
    waiting = make_job(**launched)
    make_job(provider=waiting.provider, estimated_tokens=1, **launched)

    assert completed(waiting) == 9


def test_an_estimate_that_somebody_made_meanwhile_stays(monkeypatch):
    job = make_job(status=S.RUNNING, launched_at=now())

    def meanwhile(_job: FineTuningJob) -> SimpleNamespace:
        FineTuningJob.objects.update(estimated_tokens=5)
        return SimpleNamespace(is_counted=True, as_fields=lambda: {**KEPT})

    monkeypatch.setattr(estimates, "estimate_of", meanwhile)

    assert completed(job) == 5


@pytest.mark.parametrize(("model", "is_exact"), [(None, False), ("m", True)])
def test_tokens_are_exact_where_the_models_own_tokenizer_is(
    monkeypatch, model, is_exact
):
    fields = dict.fromkeys(["provider", "base_model", "tokens", "price", "n_epochs"])
    found: Any = estimates.Estimate(**fields, model=model, is_guessed=False)  # type: ignore[arg-type]

    monkeypatch.setattr(datasets, "has_tokenizer", lambda _model: True)
    assert found.is_exact is is_exact
    monkeypatch.setattr(datasets, "has_tokenizer", lambda _model: False)
    assert not found.is_exact


# Times ------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "seconds"), [(S.RUNNING, 10), (S.PAUSED, 20)])
def test_a_poll_is_never_further_away_than_the_slowest(monkeypatch, status, seconds):
    profile = SimpleNamespace(poll_seconds=10, slowest_poll_seconds=20)
    monkeypatch.setattr(due_times, "profile_of", lambda _provider: profile)
    provider = make_provider()
    assert due_times.seconds_between_polls(provider, status, now()) == seconds


def test_what_stands_still_is_asked_about_seldom_from_the_beginning():
    assert due_times.slowness(S.PAUSED, now()) == due_times.PAUSED_FACTOR
    assert due_times.slowness(S.RUNNING, now()) == 1


@pytest.mark.parametrize(("status", "is_read"), [(S.RUNNING, True), (S.QUEUED, False)])
def test_only_what_runs_is_read_now_and_then(status, is_read):
    at = due_times.next_reading_at(make_job(status=status))
    assert (at is not None) is is_read


def test_a_tick_without_an_interval_has_none():
    daily = CrontabSchedule.objects.create()
    PeriodicTask.objects.filter(task=TICK).delete()
    PeriodicTask.objects.create(name="t", task=TICK, crontab=daily)
    assert tick_seconds() == 0


def beats(**seconds_ago: float) -> dict[str, Pulse]:
    for name, seconds in seconds_ago.items():
        at = now() - timedelta(seconds=seconds)
        Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": at})
    return {pulse.name: pulse for pulse in services.heartbeats()}


def test_a_process_that_was_seen_a_moment_ago_lives_though_the_tick_is_fast(
    monkeypatch,
):
    monkeypatch.setattr(broker, "answers", lambda: True)
    often = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task=TICK).delete()
    PeriodicTask.objects.create(name="t", task=TICK, interval=often)
    limit = STALE_SECONDS

    pulses = beats(tick=limit + 9, beat=limit - 9, worker=limit + 9)

    assert (pulses["beat"].is_alive, pulses["worker"].is_alive) == (True, False)


@pytest.mark.parametrize(("tick", "beat"), [(1, 9), (9, 1)])
def test_a_sign_of_life_is_the_last_one(tick, beat):
    seen = beats(tick=tick, beat=beat)["beat"].beaten_at
    assert seen is not None
    assert (now() - seen).total_seconds() == pytest.approx(1, abs=3)


# Recognising, claiming, tidying -----------------------------------------------------


def client_of(found: RemoteJob | None) -> Any:
    def refuse(*_given: Any) -> None:
        raise ProviderRejected("no list", status=404)

    return SimpleNamespace(find_job=lambda _key: found, jobs_since=refuse)


@pytest.mark.parametrize(("sent_at", "n_told"), [(None, 0), (now(), 1)])
def test_what_the_key_finds_needs_no_list(sent_at, n_told):
    job = make_job(status=S.SUBMITTING, create_sent_at=sent_at)
    remote = RemoteJob("ftjob-1", S.RUNNING, launch_key=str(job.launch_key))

    assert recognising.find_ours(client_of(remote), job) == remote
    assert job.events.count() == n_told  # "although its answer was lost"


def test_a_look_that_was_just_taken_is_not_repeated_at_once():
    job = FineTuningJob(create_sent_at=now())
    least = recognising.FIRST_LOOK_SECONDS
    assert recognising._seconds_until_next_look(job) == pytest.approx(least)


@pytest.mark.parametrize(("key", "why"), [("", "by its training"), ("k", "carries")])
def test_by_what_a_job_was_recognised_is_told(key, why):
    remote = RemoteJob("ftjob-1", S.RUNNING, launch_key=key)
    assert why in recognising._how_recognised(make_job(), remote)


@pytest.mark.parametrize(("n", "why"), [(0, "Nothing that it"), (2, "for certain")])
def test_why_nobody_can_tell_is_told(n, why):
    assert why in recognising._cannot_tell(make_job(), n)


def test_a_job_is_freed_as_a_whole_or_not(monkeypatch):
    over = now() - timedelta(seconds=1)
    make_job(status=S.SUBMITTING, claimed_until=over)
    monkeypatch.setattr(FineTuningJob, "move_to", broken)

    with pytest.raises(Broken):
        claiming.reclaim_stalled_jobs()
    assert FineTuningJob.objects.get().claimed_until == over


def test_whoever_renews_a_claim_gives_its_connection_back(monkeypatch):
    closed: list[bool] = []
    claim = claiming.Claim(FineTuningJob(launch_key=uuid4()), max_seconds=1)
    connection = SimpleNamespace(close=lambda: closed.append(True))
    monkeypatch.setattr(claiming, "connection", connection)

    with claim:
        pass

    assert closed == [True]


def test_a_list_of_leftovers_is_replaced_as_a_whole(
    faulty, faulty_provider, monkeypatch
):
    LeftoverFile.objects.create(
        provider=faulty_provider, remote_id="file-1", name="a.jsonl", seen_at=now()
    )
    monkeypatch.setattr(LeftoverFile.objects, "bulk_create", broken)

    with pytest.raises(Broken):
        leftovers.look_for_leftovers(faulty_provider)
    assert LeftoverFile.objects.exists()


def test_who_compares_two_answers_may_not_know_how_to_grade_one():
    provider = make_provider(abilities={"dpo": True})
    job = make_job(provider=provider)
    job.dataset_version.dataset.method = "reinforcement"
    with pytest.raises(ValidationError, match="cannot train on rows of this kind"):
        check_fits(job)
    job.dataset_version.dataset.method = "dpo"
    check_fits(job)


def test_a_job_without_a_suffix_goes_where_none_is_taken():
    provider = make_provider(abilities={"suffix": False})
    services.launch_job(make_job(provider=provider), by=None)
