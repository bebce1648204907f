import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.models import FineTuningJob, JobStatus, ReceivedWebhook, WebhookDoor
from jobs_app.services import inbound as hearing
from jobs_app.services.inbound import forget_old_webhooks
from jobs_app.views import inbound
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider

pytestmark = pytest.mark.django_db

KEY = b"the key of the tests"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr(tasks.poll_provider, "delay_on_commit", rung.append)
    return rung


@pytest.fixture
def door() -> WebhookDoor:
    return WebhookDoor.objects.create(provider=make_provider(), secret=SECRET)


@pytest.fixture
def job(door) -> FineTuningJob:
    return make_job(
        provider=door.provider,
        status=JobStatus.RUNNING,
        remote_id="ftjob-1",
        next_poll_at=now() + timedelta(minutes=5),
    )


def news(job_id: str = "ftjob-1", kind: str = "fine_tuning.job.succeeded") -> bytes:
    event = {"object": "event", "id": "evt_1", "type": kind, "data": {"id": job_id}}
    return json.dumps({**event, "created_at": 1}).encode()


def call(door, body: bytes = b"", *, key=KEY, late=0, webhook_id="wh_1", token=None):
    """A call as the provider makes it."""
    body = body or news()
    at = str(int(time.time()) - late)
    signed = f"{webhook_id}.{at}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return Client(enforce_csrf_checks=True).post(
        f"/webhooks/{token or door.token}/",
        body,
        content_type="application/json",
        headers={
            "webhook-id": webhook_id,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature.decode()}",
        },
    )


def is_due(job: FineTuningJob) -> bool:
    job.refresh_from_db()
    assert job.next_poll_at is not None
    return job.next_poll_at <= now()


def test_a_call_shortens_the_wait_and_rings_the_poll(door, job, rung):
    assert call(door).status_code == 200
    assert is_due(job)
    assert rung == [door.provider_id]
    assert services.providers_to_poll() == [door.provider_id]


def test_a_call_changes_nothing_else(door, job):
    call(door)

    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING
    assert job.events.count() == 0


def test_the_same_call_is_heard_once(door, job, rung):
    call(door)
    assert call(door).status_code == 200
    assert call(door, webhook_id="wh_2").status_code == 200

    assert rung == [door.provider_id] * 2
    assert ReceivedWebhook.objects.count() == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"key": b"another key"},
        {"late": 310},
        {"late": -310},
    ],
)
def test_a_call_that_is_not_the_providers_is_refused_without_a_word(door, job, changed):
    answer = call(door, **changed)

    assert (answer.status_code, answer.content) == (400, b"")
    assert not is_due(job)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "a", "webhook-timestamp": "now", "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-signature": "v1,x"},
    ],
)
def test_a_call_without_its_signature_is_refused(door, headers):
    answer = Client().post(
        f"/webhooks/{door.token}/", news(), "application/json", headers=headers
    )

    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("body", [b"{", b"[]", b"3", b'{"type": 3}', b"\xff\xfe"])
def test_signed_nonsense_is_no_crash(door, job, body):
    assert call(door, body).status_code in {200, 400}
    assert not is_due(job)


def test_news_of_other_things_and_other_jobs_are_passed_over(door, job, rung):
    assert call(door, news("ftjob-unknown")).status_code == 200
    other = news(kind="batch.completed")
    assert call(door, other, webhook_id="wh_2").status_code == 200

    assert rung == []
    assert not is_due(job)


def test_news_of_a_finished_job_do_not_open_it_again(door, job, rung):
    FineTuningJob.objects.update(status=JobStatus.SUCCEEDED, next_poll_at=None)

    call(door)

    job.refresh_from_db()
    assert job.next_poll_at is None


def test_one_providers_call_tells_nothing_of_anothers_job(job, rung):
    other = WebhookDoor.objects.create(provider=make_provider(), secret=SECRET)

    assert call(other).status_code == 200
    assert not is_due(job)


def test_an_unknown_address_and_one_without_a_secret_are_not_there(door):
    assert call(door, token="x" * 32).status_code == 404
    door.secret = ""
    door.save()
    assert call(door).status_code == 404
    assert Client().get(f"/webhooks/{door.token}/").status_code == 405


def test_a_long_body_is_not_read(door, job):
    body = news() + b" " * inbound.MAX_BODY_BYTES

    assert call(door, body).status_code == 413
    assert not is_due(job)


def test_a_call_that_does_not_tell_its_length_is_read(door, client):
    assert client.generic("POST", f"/webhooks/{door.token}/").status_code == 400


def test_a_crowd_is_sent_away(door, job, monkeypatch):
    monkeypatch.setattr(hearing, "MAX_CALLS", 2)
    for n in range(2):
        assert call(door, webhook_id=f"wh_{n}", key=b"no").status_code == 400

    answer = call(door)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert not is_due(job)


def test_web_processes_count_a_crowd_together(door, job, monkeypatch):
    """So the count is in the database: what each process remembers is its own."""
    monkeypatch.setattr(hearing, "MAX_CALLS", 1)
    call(door, webhook_id="wh_0", key=b"no")
    cache.clear()

    assert call(door).status_code == 429


def test_a_crowd_at_one_door_closes_no_other(door, job, monkeypatch):
    monkeypatch.setattr(hearing, "MAX_CALLS", 2)
    other = WebhookDoor.objects.create(provider=make_provider(), secret=SECRET)
    for n in range(3):
        call(other, webhook_id=f"wh_{n}", key=b"no")
    long_ago = now() - timedelta(seconds=61)
    WebhookDoor.objects.filter(pk=door.pk).update(minute_began_at=long_ago)

    assert call(door).status_code == 200
    assert call(other).status_code == 429


def test_the_next_minute_is_open_to_all_again(door, job, monkeypatch):
    monkeypatch.setattr(hearing, "MAX_CALLS", 1)
    call(door, webhook_id="wh_0", key=b"no")
    WebhookDoor.objects.update(minute_began_at=now() - timedelta(seconds=61))

    assert call(door).status_code == 200
    assert call(door, webhook_id="wh_2").status_code == 429


def test_old_calls_are_forgotten(door, job):
    call(door)
    call(door, webhook_id="wh_2")
    ReceivedWebhook.objects.filter(webhook_id="wh_1").update(
        received_at=now() - timedelta(days=2)
    )

    forget_old_webhooks()

    assert [each.webhook_id for each in ReceivedWebhook.objects.all()] == ["wh_2"]


def test_the_secret_is_sealed_in_the_database_and_in_no_page(client):
    provider = make_provider()
    client.force_login(make_member(Role.OWNER, provider.team))
    form = {"provider": provider.pk, "new_secret": SECRET}

    client.post("/admin/jobs_app/webhookdoor/add/", form)

    door = WebhookDoor.objects.get()
    assert door.secret == SECRET
    assert SECRET not in str(WebhookDoor.objects.values().get())
    page = client.get(f"/admin/jobs_app/webhookdoor/{door.pk}/change/").text
    assert SECRET not in page
    assert f"/webhooks/{door.token}/" in page


def test_saving_without_a_secret_keeps_it(client, door):
    client.force_login(make_member(Role.OWNER, door.provider.team))

    client.post(f"/admin/jobs_app/webhookdoor/{door.pk}/change/", {"new_secret": ""})

    assert WebhookDoor.objects.get().secret == SECRET


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LAUNCHER])
def test_only_owners_see_the_addresses(client, door, role):
    client.force_login(make_member(role, door.provider.team))

    page = client.get(f"/admin/jobs_app/webhookdoor/{door.pk}/change/")

    assert page.status_code in {302, 403, 404}
    assert door.token not in page.content.decode()


def test_a_token_of_other_signs_is_not_looked_up(client, django_assert_num_queries):
    """PostgreSQL would answer a NUL with an exception."""
    with django_assert_num_queries(0):
        assert client.post("/webhooks/a%00b/").status_code == 404
