"""Which process stands still, and what is said of it."""

import subprocess
from datetime import timedelta

import pytest
from django.utils.timezone import now
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs_app import services
from jobs_app.models import Heartbeat
from jobs_app.services import broker
from jobs_app.services.heartbeats import TICK, Pulse, start_command
from jobs_app.templatetags.processes import advice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_trainer(settings):
    settings.TUNING_SERVER = False


@pytest.fixture
def tick():
    often = IntervalSchedule.objects.create(every=5, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name="tick", task=TICK, interval=often)


@pytest.fixture
def broker_up(monkeypatch):
    """No broker runs beside these tests; what its absence means is tested below."""
    monkeypatch.setattr(broker, "answers", lambda: True)


def beat_earlier(name, seconds):
    services.beat(name)
    earlier = now() - timedelta(seconds=seconds)
    Heartbeat.objects.filter(name=name).update(beaten_at=earlier)


def silent():
    return {pulse.name: pulse.advice for pulse in services.silent_processes()}


def test_a_fresh_tick_tells_that_the_whole_chain_lives(django_assert_num_queries):
    services.beat()

    with django_assert_num_queries(1):
        assert silent() == {}
    assert {pulse.name for pulse in services.heartbeats()} == {
        "broker",
        "beat",
        "worker",
    }


def test_before_anything_ran_the_advice_is_to_start_it(tick, broker_up):
    assert silent() == {"worker": "Nothing has run yet. Start everything with: ./run"}


def test_a_missing_schedule_is_named(broker_up):
    beat_earlier("tick", 40)

    assert "first_start" in silent()["beat"]


def test_a_broker_that_does_not_answer_is_the_only_thing_said(tick, settings):
    settings.REDIS_URL = ""
    beat_earlier("tick", 40)

    assert silent().keys() == {"broker"}
    assert "honcho start broker" in silent()["broker"]


def test_whose_broker_is_elsewhere_is_told_of_its_address(tick, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beat_earlier("tick", 40)

    assert "REDIS_URL" in silent()["broker"]


def test_a_clock_that_stopped_is_named_alone(tick, broker_up):
    beat_earlier("tick", 40)
    beat_earlier("beat", 40)
    services.beat("worker")

    assert silent().keys() == {"beat"}
    assert "honcho start beat" in silent()["beat"]


def test_a_worker_that_stopped_is_named_alone(tick, broker_up):
    beat_earlier("tick", 40)
    services.beat("beat")
    beat_earlier("worker", 40)

    assert silent().keys() == {"worker"}
    assert "honcho start worker" in silent()["worker"]


def test_a_busy_worker_is_not_taken_for_dead(tick, broker_up):
    beat_earlier("tick", 40)
    services.beat("beat")
    services.beat("worker")

    assert "busy" in silent()["worker"]


def test_a_slow_tick_may_be_silent_for_three_rounds(tick, broker_up):
    IntervalSchedule.objects.update(every=1, period=IntervalSchedule.MINUTES)
    beat_earlier("tick", 170)
    assert silent() == {}
    beat_earlier("tick", 190)

    assert silent()


def test_a_trainer_is_asked_for_where_one_belongs(settings):
    settings.TUNING_SERVER = True
    services.beat()
    beat_earlier("trainer", 40)
    assert "honcho start trainer" in silent()["trainer"]

    services.beat("trainer")
    assert silent() == {}


def test_the_advice_works_in_a_shell_that_knows_nothing_of_the_site(tmp_path, settings):
    settings.SITE_PORT = 9999
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "honcho").write_text('#!/bin/sh\ncelery "$@" "$SITE_PORT"\n')
    (programs / "celery").write_text('#!/bin/sh\necho "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)

    told = subprocess.run(
        ["/bin/sh", "-c", start_command("beat")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "start beat 9999\n"


def test_the_command_that_helps_is_there_to_be_copied(tick, broker_up):
    beat_earlier("tick", 60)
    beat_earlier("beat", 60)
    services.beat("worker")

    told = [advice(pulse) for pulse in services.silent_processes()]

    assert told[0].endswith(f'<code class="copyable">{start_command("beat")}</code>')


def test_what_an_advice_says_besides_is_text():
    pulse = Pulse("beat", None, False, f"<b> {start_command('beat')} <i>")

    assert "<b>" not in advice(pulse)
    assert "<i>" not in advice(pulse)
