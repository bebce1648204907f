"""Who launches jobs while workers are killed: a process that answers on its stdout."""

import json
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db.models import F  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: E402

from jobs_app import services, tasks  # noqa: E402
from jobs_app.models import (  # noqa: E402
    AT_PROVIDER,
    EventType,
    FineTuningJob,
    JobEvent,
    JobStatus,
    Provider,
    ProviderPace,
    RemoteFile,
)
from jobs_app.services.heartbeats import TICK  # noqa: E402
from teams_app.models import Role  # noqa: E402
from teams_app.services import make_token  # noqa: E402
from tests.factories import (  # noqa: E402
    chat_lines,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)
from tests.jobs_app.fake_provider import API_KEY  # noqa: E402


def new_provider(base_url: str, **fields: Any) -> int:
    team = make_team()
    provider = make_provider(
        team=team, base_url=base_url, api_key=API_KEY, keeps_metadata=True, **fields
    )
    return int(provider.pk)


def new_version(provider: int, n_rows: int = 10) -> int:
    team = Provider.objects.get(pk=provider).team
    dataset = make_dataset(team=team)
    return int(make_version(dataset=dataset, training=chat_lines(n_rows)).pk)


def launch(provider: int, version: int, rings: bool = True) -> int:
    job = make_job(
        provider=Provider.objects.get(pk=provider), dataset_version_id=version
    )
    services.launch_job(job, by=None)
    if rings:
        tasks.submit_job.delay(job.pk)
    return int(job.pk)


def tick() -> None:
    tasks.drive_open_jobs()


def let_pass(seconds: float) -> None:
    """As if so much time had gone by for all jobs that wait."""
    back = timedelta(seconds=seconds)
    FineTuningJob.objects.filter(status=JobStatus.PENDING).update(
        create_sent_at=F("create_sent_at") - back,
        next_poll_at=F("next_poll_at") - back,
    )
    RemoteFile.objects.update(sent_at=F("sent_at") - back)


def state(job: int) -> dict[str, Any]:
    row = FineTuningJob.objects.get(pk=job)
    return {"status": row.status, "remote_id": row.remote_id}


def files(provider: int) -> list[str]:
    known = RemoteFile.objects.filter(provider=provider)
    return list(known.values_list("remote_id", flat=True))


def forget_jobs() -> None:
    """Nobody follows them any more."""
    over = {"status": JobStatus.CANCELLED, "next_poll_at": None}
    FineTuningJob.objects.update(**over, next_reading_at=None)


def follow_jobs(provider: int, remote_ids: list[str]) -> list[int]:
    """Running jobs of ours, as a launch long ago has left them; none is due."""
    running: dict[str, Any] = {
        "provider": Provider.objects.get(pk=provider),
        "dataset_version_id": new_version(provider),
        "status": JobStatus.RUNNING,
        "next_poll_at": None,
    }
    return [int(make_job(remote_id=each, **running).pk) for each in remote_ids]


def look_now() -> None:
    """All that is followed is due, and whoever died in a poll holds up nobody."""
    ProviderPace.objects.update(polled_until=None, read_until=None, blocked_until=None)
    followed = FineTuningJob.objects.filter(status__in=AT_PROVIDER)
    followed.update(next_poll_at=now(), next_reading_at=now())
    FineTuningJob.objects.filter(next_reading_at__gt=now()).update(
        next_reading_at=now()
    )


def wish_to_cancel(job: int) -> None:
    FineTuningJob.objects.filter(pk=job).update(cancel_requested_at=now())


def story(job: int) -> dict[str, list[str]]:
    """Its moves, what its provider told, and all else, oldest first."""
    events = list(JobEvent.objects.filter(job=job).order_by("pk"))
    return {
        "moves": [e.message for e in events if e.type == EventType.STATUS],
        "told": [e.remote_id for e in events if e.remote_id],
        "noted": [
            e.message for e in events if not e.remote_id and e.type != EventType.STATUS
        ],
    }


def new_token(provider: int) -> str:
    """What lets a launcher of the provider's team through the API."""
    team = Provider.objects.get(pk=provider).team
    user = make_member(Role.LAUNCHER, team, username=f"mina{provider}")
    return str(make_token(user=user, name="script"))


def let_beats_tick() -> None:
    """What a beat of this site rings from now on: the tick of the jobs, each second."""
    second, _ = IntervalSchedule.objects.get_or_create(
        every=1, period=IntervalSchedule.SECONDS
    )
    PeriodicTask.objects.exclude(task=TICK).update(enabled=False)
    PeriodicTask.objects.update_or_create(
        task=TICK,
        defaults={"name": "jobs", "interval": second, "enabled": True},
    )


def main() -> None:
    for line in sys.stdin:
        name, arguments = json.loads(line)
        sys.stdout.write(json.dumps(globals()[name](**arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
