"""Small promises of following a job: what is read, what is told, and to whom."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app.models import (
    Delivery,
    DeliveryState,
    FineTuningJob,
    JobEvent,
    JobStatus,
    Notice,
    NoticeKind,
    ProviderPace,
)
from jobs_app.providers import RemoteEvent, RemoteJob
from jobs_app.services import (
    delivering,
    histories,
    launch_rules,
    notices,
    pace,
    polling,
    watching,
)
from jobs_app.services.remote_state import store_remote_state, touch
from teams_app.models import Team, User
from tests.factories import make_job, make_provider, make_team
from tests.jobs_app.outbox import failed_job, make_webhook, reader

pytestmark = pytest.mark.django_db
S = JobStatus


def broken(*_given: Any, **_named: Any) -> None:
    raise RuntimeError


def running(**fields: Any) -> FineTuningJob:
    return make_job(**{"status": S.RUNNING, "remote_id": "ftjob-1", **fields})


def ago(**time: float) -> Any:
    return now() - timedelta(**time)


# Reading ----------------------------------------------------------------------------


def client(**answers: Any) -> Any:
    empty: dict[str, Any] = {
        "events": lambda *_, **__: [],
        "checkpoints": lambda _id: [],
    }
    return SimpleNamespace(**{**empty, **answers})


def test_what_has_no_id_at_the_provider_is_not_read_there():
    running(remote_id="", next_reading_at=ago(hours=1))
    assert not histories.due_readings().exists()


def test_no_more_jobs_are_read_than_requests_were_granted(monkeypatch):
    job = running(next_reading_at=ago(hours=1))
    for n in (2, 3):
        running(provider=job.provider, remote_id=f"{n}", next_reading_at=ago(hours=1))
    read: list[Any] = []
    monkeypatch.setattr(pace, "reserve", lambda *_given, **_named: 5)
    monkeypatch.setattr(histories, "_read", lambda _p, jobs, _n: read.extend(jobs))

    histories.read_histories(job.provider)

    assert len(read) == 2


def test_without_a_job_nobody_is_asked(monkeypatch):
    provider = make_provider()
    monkeypatch.setattr("jobs_app.providers.connect", broken)
    assert histories._read(provider, [], 0) == 0
    assert polling.Round(provider).run() == 0


def test_a_job_that_runs_for_long_is_read_again():
    job = running(status_changed_at=ago(days=2))
    assert histories._look_again_at(job, now()) is not None


@pytest.mark.parametrize("known", ["event-1", "event-2"])
def test_only_the_providers_newest_lines_are_compared(monkeypatch, known):
    job = running()
    for remote_id in ("event-1", "event-2", ""):
        job.events.create(remote_id=remote_id, message="x")
    monkeypatch.setattr(histories, "NEWEST_KNOWN_EVENTS", 1)
    asked: list[Any] = []

    def events(_id: str, is_known: Any) -> list[RemoteEvent]:
        asked.append(is_known(known))
        return []

    histories.store_history(client(events=events), job)

    assert asked == [known == "event-2"]


def test_lines_are_stored_with_the_checkpoints_or_not_at_all(monkeypatch):
    event = SimpleNamespace(
        id="e", created_at=now(), level="info", type="message", message="m", data={}
    )
    monkeypatch.setattr(histories, "_store_checkpoints", broken)
    with pytest.raises(RuntimeError):
        histories.store_history(client(events=lambda *_, **__: [event]), running())
    assert not JobEvent.objects.exists()


def test_figures_from_a_file_are_as_old_as_the_jobs_end():
    over = ago(days=1)
    job = running(status=S.SUCCEEDED, result_files=["file-1"], finished_at=over)
    content = b"step,train_loss\n1,0.5\n"

    histories._store_results(client(file_content=lambda _id: content), job)

    assert job.events.get().created_at == over


# What the provider says -------------------------------------------------------------


def test_a_state_is_stored_with_its_word_or_not_at_all(monkeypatch):
    job = running()
    monkeypatch.setattr(JobEvent, "save", broken)
    with pytest.raises(RuntimeError):
        store_remote_state(job, RemoteJob("ftjob-1", None, status_word="dreaming"))
    assert FineTuningJob.objects.get().remote_status == ""


def test_what_is_not_due_yet_was_seen_as_well():
    job = running(next_poll_at=now() + timedelta(hours=1))
    touch([(job, RemoteJob("ftjob-1", S.RUNNING))], now())
    job.refresh_from_db()
    assert job.last_polled_at is not None


def test_what_was_stored_is_known_at_once():
    job = running()
    store_remote_state(job, RemoteJob("ftjob-1", S.RUNNING, trained_tokens=5))
    assert job.trained_tokens == 5


def test_the_end_of_a_lease_ends_none_that_ends_in_the_same_moment(monkeypatch):
    one, other, moment = make_provider(), make_provider(), now()
    monkeypatch.setattr(pace, "now", lambda: moment)
    with pace.lease(one, pace.Work.POLL, 60):
        with pace.lease(other, pace.Work.POLL, 60):
            pass
        assert ProviderPace.objects.get(provider=one).polled_until is not None


def test_whoever_wants_to_be_left_alone_is_not_even_called(monkeypatch):
    job = running(next_poll_at=ago(seconds=1))
    later = now() + timedelta(hours=1)
    ProviderPace.objects.create(provider=job.provider, blocked_until=later)
    monkeypatch.setattr("jobs_app.providers.connect", broken)
    assert polling.poll_provider(job.provider) == 0


def test_without_a_hidden_job_no_look_is_used_up():
    provider = make_provider()
    ProviderPace.objects.create(provider=provider)
    assert not pace.may_look_again(provider, FineTuningJob.objects.none())
    assert ProviderPace.objects.get().look_again_at is None


# Asking one by one ------------------------------------------------------------------


def due(**fields: Any) -> FineTuningJob:
    return running(next_poll_at=ago(seconds=1), **fields)


def test_for_few_jobs_no_list_is_read(monkeypatch):
    monkeypatch.setattr(pace, "reserve", broken)
    job = due(provider=make_provider())
    ProviderPace.objects.create(provider=job.provider)
    assert polling.Round(job.provider).read_list(client()) == {"ftjob-1"}


def test_who_is_to_be_cancelled_is_not_looked_for_in_the_list():
    job = due(cancel_requested_at=now())
    ProviderPace.objects.create(provider=job.provider)
    assert polling.Round(job.provider).wanted() == set()


def test_what_the_list_showed_is_not_asked_about_again():
    job = due()
    asked = polling.Round(job.provider)
    asked.ask_singly(client(retrieve=broken, n_reserved=0), set())
    assert asked.n_requests == 0


def test_the_answer_to_a_cancel_needs_no_second_question():
    job = due(cancel_requested_at=now())
    there = client(cancel=lambda id: RemoteJob(id, S.CANCELLED), retrieve=broken)
    polling.Round(job.provider).ask(there, job)
    assert job.status == S.CANCELLED


# Stalled ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "polled", "since"), [(5, 3, 3), (3, 5, 3), (4, None, 4)]
)
def test_a_job_is_unheard_of_since_its_last_word(changed, polled, since):
    polled_at = None if polled is None else ago(hours=polled)
    running(status_changed_at=ago(hours=changed), last_polled_at=polled_at)
    [(_job, told)] = watching._unheard()
    assert abs(told - ago(hours=since)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changed", "heard", "since"), [(9, 8, 8), (8, 9, 8), (9, None, 9)]
)
def test_a_job_stands_still_since_its_last_line(changed, heard, since):
    job = running(status_changed_at=ago(hours=changed), last_polled_at=now())
    if heard:
        job.events.create(message="older", created_at=ago(hours=heard + 1))
        job.events.create(message="last", created_at=ago(hours=heard))
    [(_job, told)] = watching._without_progress()
    assert abs(told - ago(hours=since)) < timedelta(minutes=1)


# Notices ----------------------------------------------------------------------------


@pytest.mark.usefixtures("_sends_email")
def test_a_member_of_another_team_is_sent_nothing():
    reader(make_team(), NoticeKind.FAILED)
    failed_job(make_team())
    notices.spread_notices()
    assert not Delivery.objects.exists()


def test_a_notice_is_spread_as_a_whole_or_not(monkeypatch):
    failed_job(make_team())
    monkeypatch.setattr(Delivery.objects, "bulk_create", broken)
    with pytest.raises(RuntimeError):
        notices.spread_notices()
    assert Notice.objects.get().spread_at is None


def waiting(team: Team, **fields: Any) -> Delivery:
    hook = make_webhook(team, "https://hooks.example/x")
    delivery = notices.make_test(hook)
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return delivery


def test_two_that_are_due_in_the_same_moment_are_both_tried():
    moment = ago(seconds=5)
    pks = {waiting(make_team(), next_try_at=moment).pk for _each in "ab"}
    assert set(notices.claim_due_deliveries()) == pks


def test_old_notices_go_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(notices, "AT_ONCE", 1)
    for _each in "ab":
        waiting(make_team())
    Notice.objects.update(created_at=ago(days=notices.KEPT_DAYS + 1))
    notices.forget_old_notices()
    assert Notice.objects.count() == 1


def test_a_test_that_goes_to_nobody_is_not_stored(monkeypatch):
    hook = make_webhook(make_team(), "https://hooks.example/x")
    monkeypatch.setattr(Delivery.objects, "create", broken)
    with pytest.raises(RuntimeError):
        notices.make_test(hook)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_who_may_not_sign_in_any_more_gets_no_mail(change, mailoutbox):
    team = make_team()
    user = reader(team)
    delivery = notices.make_test_mail(user, team.pk)
    User.objects.update(**change)

    delivering.deliver(Delivery.objects.get(pk=delivery.pk))

    assert mailoutbox == []
    stored = Delivery.objects.get()
    assert stored.state == DeliveryState.GIVEN_UP
    assert "no address any more" in stored.problem


# Money in words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_counted", "why"), [(False, "still being counted"), (True, "no price for m")]
)
def test_why_a_cost_is_not_known_is_told(is_counted, why):
    found: Any = SimpleNamespace(is_counted=is_counted, base_model="m", provider="P")
    assert why in launch_rules._unknown(found)


@pytest.mark.parametrize(
    ("usd", "words"), [(None, "?"), ("0", "0.00"), ("0.004", "0.0040"), ("3", "3.00")]
)
def test_a_price_is_told_in_cents_or_as_small_as_it_is(usd, words):
    assert launch_rules.money(None if usd is None else Decimal(usd)) == words
