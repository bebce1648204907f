"""Is anybody working? The tick passes through beat, broker and worker, and beats."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.timezone import now
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from jobs_app.models import Heartbeat

WORKER = "worker"
TICK = "jobs_app.tasks.drive_open_jobs"
STALE_SECONDS = 30.0
STALE_TICKS = 3


@dataclass(frozen=True)
class Pulse:
    """One background process: alive or not, and what to do if not."""

    name: str
    beaten_at: datetime | None
    is_alive: bool
    advice: str


def beat(name: str = WORKER) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": now()})


def heartbeats() -> list[Pulse]:
    """The pulse of worker and beat, which are one chain: the tick needs both."""
    beaten_at = (
        Heartbeat.objects.filter(name=WORKER)
        .values_list("beaten_at", flat=True)
        .first()
    )
    limit = timedelta(seconds=max(STALE_SECONDS, STALE_TICKS * tick_seconds()))
    is_alive = beaten_at is not None and now() - beaten_at < limit
    return [Pulse(WORKER, beaten_at, is_alive, "" if is_alive else _advice(beaten_at))]


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


def _advice(beaten_at: datetime | None) -> str:
    if not PeriodicTask.objects.filter(task=TICK, enabled=True).exists():
        return _(
            "No schedule drives the jobs. Enable “Drive open jobs” in the admin under "
            "Periodic tasks, or make it with: ./manage.py first_start"
        )
    if beaten_at is None:
        return _("No worker has run yet. Start everything with: ./run")
    return _("The worker or its clock (beat) has stopped. Start everything with: ./run")
