"""Who does not hear of something, and what is not sent a second time."""

from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils.timezone import now

from guarded_calls.sealing import UnreadableSecret
from jobs_app.models import (
    Delivery,
    DeliveryState,
    JobStatus,
    Notice,
    NoticeKind,
    Webhook,
)
from jobs_app.services import delivering, notices
from jobs_app.services.delivering import deliver
from jobs_app.services.notices import (
    claim_due_deliveries,
    forget_old_notices,
    make_test,
    spread_notices,
)
from jobs_app.services.watching import tell_of_stalled_jobs
from teams_app.models import Role
from tests.factories import make_job, make_team
from tests.jobs_app.outbox import drive, failed_job, make_webhook, reader

pytestmark = pytest.mark.django_db


def test_another_team_s_webhook_hears_nothing():
    make_webhook(make_team(), "https://hooks.example/x")
    failed_job(make_team())
    spread_notices()
    assert not Delivery.objects.exists()


def test_a_webhook_hears_only_of_what_it_was_set_up_for():
    hook = make_webhook(make_team(), "https://hooks.example/x", kinds=["finished"])
    failed_job(hook.team)
    spread_notices()
    assert not Delivery.objects.exists()


def test_what_was_spread_is_not_spread_again():
    failed_job(make_webhook(make_team(), "https://hooks.example/x").team)
    assert (spread_notices(), spread_notices()) == (1, 0)


def test_one_tick_takes_up_so_many_notices_and_no_more(monkeypatch):
    team = make_webhook(make_team(), "https://hooks.example/x").team
    failed_job(team), failed_job(team)
    monkeypatch.setattr(notices, "AT_ONCE", 1)
    assert spread_notices() == 1
    assert spread_notices() == 1
    assert len(claim_due_deliveries()) == 1


def test_a_delivery_is_tried_when_it_is_due_and_no_sooner():
    failed_job(make_webhook(make_team(), "https://hooks.example/x").team)
    spread_notices()
    Delivery.objects.update(next_try_at=now() + timedelta(minutes=1))
    assert claim_due_deliveries() == []


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.GIVEN_UP])
def test_what_is_over_is_not_tried_again(receiver, state):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    Delivery.objects.update(state=state)

    assert claim_due_deliveries() == []
    deliver(Delivery.objects.get())

    assert receiver.got == []


def test_an_end_that_another_worker_noted_stays(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    late = Delivery.objects.get()
    Delivery.objects.update(state=DeliveryState.SENT)
    receiver.answers = [500]

    deliver(late)

    assert late.state == DeliveryState.SENT
    assert late.problem == ""


def test_a_webhook_that_was_switched_off_meanwhile_gets_nothing(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    Webhook.objects.update(problem="gone")

    drive()

    assert receiver.got == []
    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP
    assert Webhook.objects.get().problem == "gone"  # the reason, as it was


def test_a_webhook_that_is_switched_off_is_no_receiver():
    failed_job(make_webhook(make_team(), "https://hooks.example/x", problem="x").team)
    spread_notices()
    assert not Delivery.objects.exists()


def test_what_became_of_one_delivery_is_noted_with_that_one_only(receiver):
    team = make_webhook(make_team(), receiver.url).team
    failed_job(team)
    failed_job(team)
    spread_notices()
    sent, waiting = Delivery.objects.all()

    deliver(sent)

    waiting.refresh_from_db()
    assert (sent.state, waiting.state) == ("sent", "waiting")


@pytest.mark.parametrize(("n_attempts", "seconds"), [(0, 10), (50, 3600)])
def test_the_waits_grow_and_end_at_an_hour(receiver, n_attempts, seconds):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    Delivery.objects.update(n_attempts=n_attempts)
    receiver.answers = [500]
    began = now()

    deliver(Delivery.objects.get())

    wait = Delivery.objects.get().next_try_at - began
    assert timedelta(0) <= wait - timedelta(seconds=seconds) < timedelta(seconds=60)


def test_a_secret_that_cannot_be_read_is_told_and_tried_again(monkeypatch):
    def unreadable(*_args: object) -> None:
        raise UnreadableSecret("Enter it again.")

    monkeypatch.setattr(delivering, "send", unreadable)
    deliver(make_test(make_webhook(make_team(), "https://hooks.example/x")))

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.problem) == ("waiting", "Enter it again.")


def test_only_a_receiver_that_is_gone_is_switched_off(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    receiver.answers = [500]
    drive()
    assert Webhook.objects.get().problem == ""


@pytest.mark.usefixtures("_sends_email")
@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_whoever_cannot_read_it_gets_no_e_mail(change):
    team = make_team()
    user = reader(team, NoticeKind.FAILED)
    failed_job(team)
    spread_notices()
    type(user).objects.filter(pk=user.pk).update(**change)
    failed_job(team)

    drive()

    assert mail.outbox == []
    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP


@pytest.mark.usefixtures("_sends_email")
@pytest.mark.parametrize("fault", [SMTPException("no"), ConnectionRefusedError()])
def test_a_mail_server_that_fails_is_asked_again(monkeypatch, fault):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise fault

    team = make_team()
    reader(team, NoticeKind.FAILED)
    failed_job(team)
    monkeypatch.setattr(EmailMessage, "send", fail)

    drive()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.n_attempts) == ("waiting", 1)


@pytest.mark.usefixtures("_sends_email")
def test_of_other_news_launchers_and_askers_hear_like_everybody():
    team = make_team()
    reader(team, NoticeKind.FAILED, role=Role.VIEWER)
    failed_job(team)
    spread_notices()
    assert Delivery.objects.exists()


def test_what_is_new_or_not_yet_spread_is_not_forgotten():
    failed_job(make_webhook(make_team(), "https://hooks.example/x").team)
    spread_notices()
    forget_old_notices()
    assert Notice.objects.exists()

    Notice.objects.update(created_at=now() - timedelta(days=99), spread_at=None)
    forget_old_notices()
    assert Notice.objects.exists()


HOURS_AGO = now() - timedelta(hours=9)


@pytest.mark.parametrize(
    "fields",
    [
        {"status_changed_at": now()},  # it has only just begun
        {"status": JobStatus.PENDING, "scheduled_for": now() + timedelta(days=1)},
        {"last_polled_at": now(), "heard_at": now()},
        {"last_polled_at": now(), "status_changed_at": now()},
        {"last_polled_at": now(), "status": JobStatus.QUEUED},
    ],
)
def test_a_job_that_is_well_does_not_stall(fields):
    heard_at = fields.pop("heard_at", HOURS_AGO)
    old = {"status": JobStatus.RUNNING, "status_changed_at": HOURS_AGO}
    job = make_job(**{**old, **fields})
    job.events.create(message="step 1", created_at=heard_at)

    tell_of_stalled_jobs()

    assert not Notice.objects.exists()


def test_a_job_that_was_never_heard_of_since_it_runs_has_stalled():
    make_job(
        status=JobStatus.RUNNING, status_changed_at=HOURS_AGO, last_polled_at=now()
    )
    tell_of_stalled_jobs()
    assert Notice.objects.get().kind == NoticeKind.STALLED


def test_what_another_job_tells_is_no_progress_of_this_one():
    job = make_job(
        status=JobStatus.RUNNING, status_changed_at=HOURS_AGO, last_polled_at=now()
    )
    job.events.create(message="step 1", created_at=HOURS_AGO)
    make_job(team=job.team).events.create(message="step 1")
    tell_of_stalled_jobs()
    assert Notice.objects.get().job == job


def test_a_job_that_stalls_again_is_told_of_again():
    job = make_job(status=JobStatus.RUNNING, status_changed_at=HOURS_AGO)
    for hours in (4, 2):
        job.last_polled_at = now() - timedelta(hours=hours)
        job.save()
        tell_of_stalled_jobs()
        tell_of_stalled_jobs()
    assert Notice.objects.count() == 2
