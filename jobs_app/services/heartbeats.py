"""Is anybody working? Every background process shows a sign of life.

The tick passes through beat, broker and worker: while it comes, all three live. Only
when it stays away are they judged one by one, to say which one is to be started.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from jobs_app.models import Heartbeat
from jobs_app.services import broker

TICK_PULSE, BROKER = "tick", "broker"
WORKER, BEAT, TRAINER = "worker", "beat", "trainer"
TICK = "jobs_app.tasks.drive_open_jobs"
STALE_SECONDS = 30.0
DEFAULT_PORT = 8000
STALE_TICKS = 3
Seen = dict[str, datetime]


@dataclass(frozen=True)
class Pulse:
    """One background process: alive or not, and what to do if not."""

    name: str
    beaten_at: datetime | None
    is_alive: bool
    advice: str = ""


def beat(name: str = TICK_PULSE, *, seconds: float | None = None) -> None:
    """Show that a process lives; `seconds` is how long its round took."""
    given = {"beaten_at": now(), "seconds": seconds}
    Heartbeat.objects.update_or_create(name=name, defaults=given)


def heartbeats() -> list[Pulse]:
    """The pulse of every process that this installation needs."""
    seen = dict(Heartbeat.objects.values_list("name", "beaten_at"))
    pulses = _chain(seen)
    if settings.TUNING_SERVER:
        advice = _("The trainer has stopped: trainings wait. %s") % start_one(TRAINER)
        pulses.append(_pulse(TRAINER, seen, STALE_SECONDS, advice))
    return pulses


def silent_processes() -> list[Pulse]:
    """Those that show no sign of life: empty when all is well."""
    return [pulse for pulse in heartbeats() if not pulse.is_alive]


def tick_seconds() -> float:
    """The interval of the tick, as edited in the admin; 0 if it has none."""
    ticks = PeriodicTask.objects.filter(task=TICK, enabled=True)
    tick = ticks.select_related("interval").first()
    if tick is None or tick.interval is None:
        return 0.0
    return float(tick.interval.schedule.run_every.total_seconds())


def start_one(process: str) -> str:
    """How one process is started, by its name in the Procfile."""
    return _("Start everything with ./run, or only this one with: %s") % (
        start_command(process)
    )


def start_command(process: str) -> str:
    """For a shell in the folder of manage.py. The Procfile's programs are in .venv, and
    a port that ./run chose is known to its own processes only."""
    port = (
        "" if settings.SITE_PORT == DEFAULT_PORT else f" SITE_PORT={settings.SITE_PORT}"
    )
    return f"PATH=.venv/bin:$PATH{port} honcho start {process}"


def _chain(seen: Seen) -> list[Pulse]:
    """Broker, beat and worker, which the tick needs."""
    if _is_fresh(seen.get(TICK_PULSE), STALE_SECONDS):
        return _all_alive(seen)
    interval = tick_seconds()
    limit = max(STALE_SECONDS, STALE_TICKS * interval)
    if _is_fresh(seen.get(TICK_PULSE), limit):
        return _all_alive(seen)
    if not broker.answers():  # of the others nothing can be told then
        return [Pulse(BROKER, seen.get(TICK_PULSE), False, _broker_advice())]
    if not seen:
        advice = _("Nothing has run yet. Start everything with: ./run")
        return [Pulse(WORKER, None, False, advice)]
    if not interval:
        return [Pulse(BEAT, seen.get(BEAT), False, _no_schedule())]
    return _one_by_one(seen, limit)


def _one_by_one(seen: Seen, limit: float) -> list[Pulse]:
    beat_advice = _("The clock (beat) has stopped. %s") % start_one(BEAT)
    worker_advice = _("The worker has stopped. %s") % start_one(WORKER)
    pulses = [
        Pulse(BROKER, now(), True),
        _pulse(BEAT, seen, limit, beat_advice),
        _pulse(WORKER, seen, limit, worker_advice),
    ]
    if all(pulse.is_alive for pulse in pulses):
        pulses[-1] = Pulse(WORKER, seen.get(TICK_PULSE), False, _busy())
    return pulses


def _all_alive(seen: Seen) -> list[Pulse]:
    tick = seen[TICK_PULSE]
    return [
        Pulse(name, max(tick, seen.get(name, tick)), True)
        for name in (BROKER, BEAT, WORKER)
    ]


def _pulse(name: str, seen: Seen, limit: float, advice: str) -> Pulse:
    is_alive = _is_fresh(seen.get(name), limit)
    return Pulse(name, seen.get(name), is_alive, "" if is_alive else advice)


def _is_fresh(beaten_at: datetime | None, limit: float) -> bool:
    return beaten_at is not None and now() - beaten_at < timedelta(seconds=limit)


def _broker_advice() -> str:
    if settings.REDIS_URL:
        return _(
            "The broker (Redis or Valkey) does not answer. Start it, or correct "
            "REDIS_URL and start the site again."
        )
    return _("The broker does not answer. %s") % start_one(BROKER)


def _no_schedule() -> str:
    return _(
        "No schedule drives the jobs. Enable “Drive open jobs” in the admin under "
        "Periodic tasks, or make it with: ./manage.py first_start"
    )


def _busy() -> str:
    return _(
        "The worker lives but has been busy with long work for a while; what is new "
        "waits. To work on more at once, start another one: %s"
    ) % start_command(WORKER)
