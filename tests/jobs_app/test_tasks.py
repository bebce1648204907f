"""Each bell rings its service, about its row; the slow ticks forget none of theirs."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.models import (
    Delivery,
    Heartbeat,
    JobStatus,
    Notice,
    NoticeKind,
    ProviderCheck,
    Webhook,
)
from jobs_app.services import broker
from tests.factories import make_job, make_provider, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, Any]]:
    """What was called, and with what, of all that a task may call."""
    calls: list[tuple[str, Any]] = []

    def listen(where: Any, name: str, gives: Any = None) -> None:
        def heard(*given: Any) -> Any:
            calls.append((name, *given))
            return gives

        monkeypatch.setattr(where, name, heard)

    for name in ("submit_job", "poll_provider", "complete_estimates"):
        listen(services, name)
    for name in ("read_histories", "compare_one_held_out_row", "run_check"):
        listen(services, name)
    for name in ("look_for_leftovers", "delete_leftovers", "reclaim_stalled_jobs"):
        listen(services, name)
    listen(services, "providers_with_deletions", [7])
    listen(tasks, "deliver")
    listen(tasks.model_ends, "read_models")
    listen(tasks.model_ends, "providers_to_list_models_of", [8])
    listen(tasks.watching, "tell_of_stalled_jobs")
    listen(tasks.shutdowns, "tell_of_shutdowns")
    listen(tasks.notices, "forget_old_notices")
    listen(tasks.notices, "spread_notices")
    listen(tasks.notices, "claim_due_deliveries", [9])
    listen(tasks.inbound, "forget_old_webhooks")
    return calls


ABOUT_A_PROVIDER = {
    "poll_provider": ["poll_provider", "complete_estimates"],
    "read_histories": ["read_histories"],
    "look_for_leftovers": ["look_for_leftovers"],
    "delete_leftovers": ["delete_leftovers"],
    "read_models": ["read_models"],
}


@pytest.mark.parametrize("task", ABOUT_A_PROVIDER)
def test_a_task_is_about_one_provider(rung, task):
    make_provider()
    provider = make_provider()

    getattr(tasks, task)(provider.pk)

    assert rung == [(name, provider) for name in ABOUT_A_PROVIDER[task]]


@pytest.mark.parametrize(
    ("task", "name"),
    [("submit_job", "submit_job"), ("compare_held_out", "compare_one_held_out_row")],
)
def test_a_task_is_about_one_job(rung, task, name):
    make_job()
    job = make_job()

    getattr(tasks, task)(job.pk)

    assert rung == [(name, job)]


def check() -> ProviderCheck:
    return ProviderCheck.objects.create(provider=make_provider(), n_total=1)


def delivery() -> Delivery:
    team = make_team()
    key = f"test {team.pk}"
    notice = Notice.objects.create(team=team, kind=NoticeKind.TEST, key=key)
    hook = Webhook.objects.create(team=team, url="https://hooks.example/x")
    return Delivery.objects.create(notice=notice, webhook=hook)


@pytest.mark.parametrize(
    ("make", "task", "name"),
    [(check, "check_provider", "run_check"), (delivery, "deliver_notice", "deliver")],
)
def test_a_task_is_about_one_row_that_may_be_gone(rung, make, task, name):
    row = make()
    make()

    getattr(tasks, task)(row.pk)
    getattr(tasks, task)(0)

    assert rung == [(name, row)]


def delays(monkeypatch: pytest.MonkeyPatch, rung: list[Any], *names: str) -> None:
    for name in names:
        rings = SimpleNamespace(delay=lambda pk, name=name: rung.append((name, pk)))
        monkeypatch.setattr(tasks, name, rings)


def test_the_slow_tick_does_all_that_nobody_waits_for(rung, monkeypatch):
    delays(monkeypatch, rung, "read_models", "delete_leftovers")

    tasks.watch_jobs()

    assert rung == [
        ("tell_of_stalled_jobs",),
        ("tell_of_shutdowns",),
        ("forget_old_notices",),
        ("forget_old_webhooks",),
        ("providers_to_list_models_of",),
        ("read_models", 8),
        ("providers_with_deletions",),
        ("delete_leftovers", 7),
    ]


def test_the_tick_of_the_outbox_spreads_and_rings(rung, monkeypatch):
    delays(monkeypatch, rung, "deliver_notice")

    tasks.drive_notices()

    told = [("spread_notices",), ("claim_due_deliveries",), ("deliver_notice", 9)]
    assert rung == told


def test_the_tick_frees_what_died_and_rings_for_waiting_checks(rung, monkeypatch):
    delays(monkeypatch, rung, "check_provider")
    waiting = check()
    ProviderCheck.objects.update(created_at="2026-01-01T00:00Z")
    make_job(status=JobStatus.DRAFT, next_poll_at=now())

    tasks.drive_open_jobs()

    assert rung == [("reclaim_stalled_jobs",), ("check_provider", waiting.pk)]
    assert Heartbeat.objects.filter(name="tick").exists()


@pytest.mark.parametrize("url", ["", "redis://broker.example:6380/1"])
def test_the_broker_is_the_one_of_the_settings(settings, url):
    settings.REDIS_URL = url
    asked = broker._client().connection_pool.connection_kwargs
    assert asked.get("host") == ("broker.example" if url else None)
