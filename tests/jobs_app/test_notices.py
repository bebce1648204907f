"""The outbox: who hears of what, once, and what happens when nobody listens."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.urls import reverse
from django.utils.timezone import localdate, now
from openai import OpenAI

from jobs_app import services
from jobs_app.models import (
    Delivery,
    DeliveryState,
    JobStatus,
    ListedModel,
    Notice,
    NoticeKind,
    Webhook,
)
from jobs_app.notice_texts import text_of
from jobs_app.providers import webhooks
from jobs_app.services import notices
from jobs_app.services.delivering import deliver
from jobs_app.services.notices import (
    claim_due_deliveries,
    forget_old_notices,
    make_test,
    spread_notices,
)
from jobs_app.services.shutdowns import tell_of_shutdowns
from jobs_app.services.watching import tell_of_stalled_jobs
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider, make_team
from tests.jobs_app.outbox import drive, failed_job, make_webhook, reader

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://chat.example/hooks/T0/B0/abcdefgh", "https://chat.example/…efgh"),
        ("https://chat.example?token=abcdefgh", "https://chat.example/…efgh"),
        ("https://chat.example/abcdefgh", "https://chat.example/…"),
    ],
)
def test_little_of_a_webhooks_address_is_shown(url, place):
    assert make_webhook(make_team(), url).place == place


def again() -> None:
    Delivery.objects.update(next_try_at=now())
    drive()


def test_a_notice_is_stored_with_the_move_or_not_at_all():
    job = make_job(status=JobStatus.RUNNING)
    with transaction.atomic():
        job.move_to(JobStatus.SUCCEEDED)
        assert Notice.objects.get().kind == NoticeKind.FINISHED
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_a_webhook_gets_what_openais_own_client_accepts_as_signed(receiver):
    hook = make_webhook(make_team(), receiver.url)
    job = failed_job(hook.team)

    drive()

    [(headers, body)] = receiver.got
    client = OpenAI(api_key="none", webhook_secret=hook.secret)
    client.webhooks.verify_signature(body.decode(), headers)
    assert json.loads(body)["type"] == "finetune_site.failed"
    assert json.loads(body)["data"]["job"] == job.pk


def test_slack_gets_one_text_in_which_a_name_calls_nobody(receiver):
    hook = make_webhook(make_team(), receiver.url, is_slack=True)
    job = make_job(team=hook.team, base_model="<!channel>", status=JobStatus.RUNNING)
    job.move_to(JobStatus.FAILED)

    drive()

    [(_headers, body)] = receiver.got
    text = json.loads(body)["text"]
    assert "&lt;!channel&gt;" in text
    assert "<!channel>" not in text


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("running", "succeeded", NoticeKind.FINISHED),
        ("running", "failed", NoticeKind.FAILED),
        ("submitting", "unsure", NoticeKind.UNSURE),
        ("draft", "awaiting_approval", NoticeKind.APPROVAL_NEEDED),
        ("awaiting_approval", "pending", NoticeKind.APPROVED),
        ("awaiting_approval", "declined", NoticeKind.DECLINED),
    ],
)
def test_a_move_that_people_care_for_is_told_of_in_words(old, new, kind):
    job = make_job(status=old)
    job.move_to(new)
    notice = Notice.objects.get()
    assert notice.kind == kind
    assert f"Job {job.pk} " in text_of(notice, "en").title


def test_each_is_sent_once(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    drive()
    again()
    assert len(receiver.got) == 1


def test_two_ticks_at_once_claim_a_delivery_once(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    assert len(claim_due_deliveries()) == 1
    assert claim_due_deliveries() == []


def test_of_two_ticks_that_see_the_same_delivery_one_claims_it(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    rivals: list[object] = []

    def rival_is_first(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not rivals:
            rivals.append("begun")
            rivals.extend(claim_due_deliveries())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(rival_is_first):
        mine = claim_due_deliveries()

    assert mine == []
    assert len(rivals) == 2


def test_two_ticks_at_once_spread_a_notice_once(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    stale = Notice.objects.get()
    spread_notices()
    notices._spread(stale)
    assert Delivery.objects.count() == 1


def test_a_receiver_that_never_answers_holds_nobody_up(receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "SEND_SECONDS", 0.2)
    failed_job(make_webhook(make_team(), receiver.url).team)
    receiver.may_answer.clear()
    drive()
    assert "did not answer in time" in Delivery.objects.get().problem


def test_a_worker_that_dies_while_sending_sends_again_under_the_same_id(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    spread_notices()
    before_the_kill = Delivery.objects.get()
    deliver(Delivery.objects.get())
    # The process was killed between sending and noting it: the row is as it was.
    Delivery.objects.filter(pk=before_the_kill.pk).update(
        state=DeliveryState.WAITING, sent_at=None
    )

    again()

    ids = {headers["webhook-id"] for headers, _body in receiver.got}
    assert (len(receiver.got), len(ids)) == (2, 1)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_whatever_is_no_success_is_tried_again(receiver, status):
    failed_job(make_webhook(make_team(), receiver.url).team)
    receiver.answers = [status]
    drive()
    delivery = Delivery.objects.get()
    assert f"the status {status}" in delivery.problem
    assert delivery.next_try_at > now()

    again()

    assert Delivery.objects.get().state == DeliveryState.SENT
    assert len(receiver.got) == 2  # no redirect was followed


def test_after_a_day_it_is_given_up_and_the_owner_sees_why(client, receiver):
    hook = make_webhook(make_team(), receiver.url)
    failed_job(hook.team)
    receiver.answers = [500]
    spread_notices()
    Delivery.objects.update(created_at=now() - timedelta(days=1))

    drive()

    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP
    client.force_login(make_member(Role.OWNER, hook.team))
    page = reverse("teams:detail", args=[hook.team_id])
    assert "The receiver answered with the status 500" in client.get(page).text
    in_korean = client.get(page, headers={"Accept-Language": "ko"}).text
    assert "The receiver answered" not in in_korean


def test_a_receiver_that_is_gone_switches_its_webhook_off(receiver):
    hook = make_webhook(make_team(), receiver.url)
    receiver.answers = [410]
    failed_job(hook.team)
    drive()
    failed_job(hook.team)
    drive()
    assert len(receiver.got) == 1


def test_a_webhook_leads_into_no_private_network(receiver, settings):
    settings.WEBHOOK_ALLOWED_HOSTS = []
    port = receiver.host.rpartition(":")[2]
    hook = make_webhook(make_team(), f"https://localhost:{port}/")
    failed_job(hook.team)

    drive()

    assert "inside a private network" in Delivery.objects.get().problem
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "https://127.0.0.1/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/",
        "https://user:password@hooks.example/",
        "ftp://hooks.example/",
        "https://",
    ],
)
def test_an_address_that_may_not_be_is_refused_where_it_is_typed(client, url):
    team = make_team()
    client.force_login(make_member(Role.OWNER, team))
    new = {"name": "x", "url": url, "language": "en", "kinds": ["failed"]}
    client.post(reverse("teams:webhook_add", args=[team.pk]), new)
    assert not Webhook.objects.exists()


def test_the_secret_is_shown_once_and_is_unreadable_in_the_database(client):
    team = make_team()
    client.force_login(make_member(Role.OWNER, team))
    url = "https://hooks.example.com/x"
    new = {"name": "x", "url": url, "language": "en", "kinds": ["failed"]}

    answer = client.post(reverse("teams:webhook_add", args=[team.pk]), new)

    secret = Webhook.objects.get().secret
    assert secret in answer.content.decode()
    page = client.get(reverse("teams:detail", args=[team.pk]))
    assert secret not in page.content.decode()
    assert secret not in str(Webhook.objects.get().__dict__["secret"])


@pytest.mark.usefixtures("_sends_email")
def test_only_members_who_chose_it_get_an_e_mail():
    team = make_team()
    reader(team, NoticeKind.FAILED)
    reader(team, NoticeKind.FINISHED, email="kim@example.org")
    reader(make_team(), NoticeKind.FAILED, email="stranger@example.org")

    job = failed_job(team)
    drive()

    [message] = mail.outbox
    assert message.to == ["mina@example.org"]
    assert f"Job {job.pk} failed" in message.subject
    assert reverse("jobs:detail", args=[job.pk]) in message.body


@pytest.mark.usefixtures("_sends_email")
def test_whoever_left_the_team_meanwhile_hears_nothing():
    team = make_team()
    user = reader(team, NoticeKind.FAILED)
    failed_job(team)
    spread_notices()
    user.membership_set.all().delete()

    drive()

    assert mail.outbox == []
    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP


@pytest.mark.usefixtures("_sends_email")
def test_a_line_break_in_a_name_begins_no_header():
    team = make_team(name="Cards\nBcc: all@example.org")
    reader(team, NoticeKind.FAILED)
    failed_job(team)
    drive()
    assert "\n" not in mail.outbox[0].subject


@pytest.mark.usefixtures("_sends_email")
def test_approval_is_asked_of_those_who_may_give_it():
    team = make_team(approve_always=True)
    asked = NoticeKind.APPROVAL_NEEDED
    asker = reader(team, asked, role=Role.LAUNCHER, email="asker@example.org")
    reader(team, asked, role=Role.CURATOR, email="curator@example.org")
    reader(team, asked, role=Role.OWNER, email="owner@example.org")

    services.launch_job(make_job(team=team), by=asker)
    drive()

    assert [message.to for message in mail.outbox] == [["owner@example.org"]]


def test_without_a_mail_server_nothing_waits_for_one():
    team = make_team()
    reader(team, NoticeKind.FAILED)
    failed_job(team)
    drive()
    assert not Delivery.objects.exists()


def test_a_job_that_stalls_is_told_of_once():
    long_ago = now() - timedelta(hours=2)
    make_job(status=JobStatus.RUNNING, status_changed_at=long_ago)
    tell_of_stalled_jobs()
    tell_of_stalled_jobs()
    assert [notice.kind for notice in Notice.objects.all()] == [NoticeKind.STALLED]


def test_a_job_without_progress_is_told_of_though_its_provider_answers():
    long_ago = now() - timedelta(hours=7)
    job = make_job(
        status=JobStatus.RUNNING, status_changed_at=long_ago, last_polled_at=now()
    )
    job.events.create(message="step 1", created_at=long_ago)
    tell_of_stalled_jobs()
    assert Notice.objects.filter(job=job, kind=NoticeKind.STALLED).exists()


@pytest.mark.parametrize("status", [JobStatus.AWAITING_APPROVAL, JobStatus.SUCCEEDED])
def test_what_waits_for_people_or_is_over_does_not_stall(status):
    make_job(status=status, status_changed_at=now() - timedelta(days=2))
    tell_of_stalled_jobs()
    assert not Notice.objects.exists()


def test_old_notices_go_with_their_deliveries(receiver):
    failed_job(make_webhook(make_team(), receiver.url).team)
    drive()
    Notice.objects.update(created_at=now() - timedelta(days=91))
    forget_old_notices()
    assert not Delivery.objects.exists()


def test_the_test_button_tells_the_receiver(client, receiver, monkeypatch):
    hook = make_webhook(make_team(), receiver.url)
    deliver(make_test(hook))
    assert json.loads(receiver.got[0][1])["type"] == "finetune_site.test"


@pytest.mark.parametrize("act", ["test", "renew", "on", "remove"])
def test_only_owners_touch_a_webhook(client, act):
    hook = make_webhook(make_team(), "https://hooks.example.com/x")
    client.force_login(make_member(Role.LAUNCHER, hook.team))
    address = reverse("teams:webhook", args=[hook.pk])
    assert client.post(address, {"act": act}).status_code == 403
    client.force_login(make_member(Role.OWNER))
    assert client.post(address, {"act": act}).status_code == 404


def test_a_user_chooses_what_to_hear_of(client):
    user = make_member(Role.VIEWER)
    client.force_login(user)
    chosen = {"email": "kim@example.org", "language": "ko", "kinds": ["failed"]}
    client.post(reverse("notifications:mine"), chosen)
    user.refresh_from_db()
    assert (user.email, user.language) == ("kim@example.org", "ko")
    assert list(user.notice_choices.values_list("kind", flat=True)) == ["failed"]


def ends_in(days: int, **overrides) -> ListedModel:
    provider = overrides.pop("provider", None) or make_provider()
    on = localdate() + timedelta(days=days)
    return ListedModel.objects.create(
        **{"provider": provider, "name": "gpt-x", "shutdown_date": on, **overrides}
    )


def test_a_model_that_is_trained_on_is_told_of_a_month_and_a_week_before_its_end():
    model = ends_in(30)
    make_job(provider=model.provider, base_model="gpt-x", status=JobStatus.SUCCEEDED)
    for _each in range(2):
        tell_of_shutdowns()
    assert Notice.objects.filter(kind=NoticeKind.SHUTDOWN).count() == 1

    ListedModel.objects.update(shutdown_date=localdate() + timedelta(days=7))
    tell_of_shutdowns()
    assert Notice.objects.filter(kind=NoticeKind.SHUTDOWN).count() == 2


@pytest.mark.parametrize("days", [31, -1])
def test_a_model_that_ends_later_or_has_ended_is_not_told_of(days):
    model = ends_in(days)
    make_job(provider=model.provider, base_model="gpt-x", status=JobStatus.SUCCEEDED)
    tell_of_shutdowns()
    assert not Notice.objects.exists()


def test_a_model_that_nobody_in_the_team_uses_is_not_told_of():
    ends_in(3)
    make_job(base_model="gpt-x", status=JobStatus.SUCCEEDED)  # another provider's
    tell_of_shutdowns()
    assert not Notice.objects.exists()
