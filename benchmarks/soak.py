"""Launch jobs while everything fails and dies at random, and count what was lost.

    python -m benchmarks.soak [--jobs 40] [--minutes 3] [--seed 1] [--postgresql]

Real broker, two real workers, two beats, and a provider that fails in every way
(tests/jobs_app/faulty_provider.py). Workers, beats and the broker, its data with it,
are killed with SIGKILL while they work. Then everything is well again, and what was
launched must be at the provider: each job once, with all its events. Bounded by its
counts, all on loopback, in a folder of its own. Exit status 1 if anything was lost.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.seeded import in_scratch_site
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.faulty_provider import FaultyProvider

WORKER = "celery --quiet -A finetune_site worker --queues celery --concurrency 2"
BEAT = "celery --quiet -A finetune_site beat --pidfile="
N_WORKERS = N_BEATS = 2
DRAIN_SECONDS = 240.0
# More than any claim lasts: what a killed process held is free again.
LONG_AGO = timedelta(hours=2)
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("drop", {}),
    ("accept_then_drop", {}),
    ("server_error", {}),
    ("accept_then_server_error", {}),
    ("rate_limit", {}),
    ("rate_limit", {"retry_after": "2"}),
    ("truncated_json", {}),
    ("cut_off", {}),
    ("web_page", {}),
    ("accept_then_web_page", {}),
    ("odd_content_type", {}),
]
AT = [
    "upload_file",
    "show_file",
    "list_files",
    "create_job",
    "create_job",
    "list_jobs",
    "show_job",
    "list_events",
    "list_checkpoints",
]


class Processes:
    """Broker, workers and beats of a site, each killed and started again."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.log = (folder / "processes.log").open("ab")
        self.n_kills: Counter[str] = Counter()
        self.broker = self.start("-m", "finetune_site.broker")
        self.workers = [self.worker(n) for n in range(N_WORKERS)]
        self.beats = [self.start("-m", *BEAT.split()) for _ in range(N_BEATS)]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def worker(self, n: int) -> subprocess.Popen[bytes]:
        name = f"--hostname=worker{n}.{time.monotonic_ns()}@soak"
        return self.start("-m", *WORKER.split(), "--loglevel=WARNING", name)

    def kill_a_worker(self) -> None:
        n = self.chance.randrange(N_WORKERS)
        self._kill("worker", self.workers[n])
        self.workers[n] = self.worker(n)

    def kill_all_workers(self) -> None:
        for worker in self.workers:
            self._kill("worker", worker)
        forget_claims()
        self.workers = [self.worker(n) for n in range(N_WORKERS)]

    def kill_a_beat(self) -> None:
        n = self.chance.randrange(N_BEATS)
        self._kill("beat", self.beats[n])
        self.beats[n] = self.start("-m", *BEAT.split())

    def kill_and_empty_the_broker(self) -> None:
        self._kill("broker", self.broker)
        shutil.rmtree(self.folder / "broker")
        self.broker = self.start("-m", "finetune_site.broker")

    def end(self) -> None:
        for process in (*self.workers, *self.beats, self.broker):
            self._kill("", process)

    def _kill(self, name: str, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.n_kills[name] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with FaultyProvider(training_seconds=20) as faulty:
        os.environ["PROVIDER_ALLOWED_HOSTS"] = faulty.host
        with in_scratch_site(on_postgresql=options.postgresql) as folder:
            sys.exit(soak(faulty, folder, options))


def soak(faulty: FaultyProvider, folder: Path, options: argparse.Namespace) -> int:
    from finetune_site.first_start import make_ticks

    chance = random.Random(options.seed)  # noqa: S311 no secret
    make_ticks()
    provider, version = make_provider_and_version(faulty)
    processes = Processes(folder, chance)
    try:
        n_faults = go_wrong(faulty, processes, chance, options, provider, version)
        faulty.faults.clear()
        faulty.unlisted_seconds = 0
        processes.kill_all_workers()
        n_open = drain()
    finally:
        processes.end()
    kills = ", ".join(f"{n} {name}" for name, n in processes.n_kills.items() if name)
    say(f"{n_faults} faults; killed: {kills}")
    return report(faulty, n_open)


def make_provider_and_version(faulty: FaultyProvider) -> Any:
    from tests.factories import make_dataset, make_provider, make_version

    provider = make_provider(base_url=faulty.base_url, api_key=API_KEY)
    return provider, make_version(dataset=make_dataset(team=provider.team))


def go_wrong(
    faulty: FaultyProvider,
    processes: Processes,
    chance: random.Random,
    options: argparse.Namespace,
    provider: Any,
    version: Any,
) -> int:
    """Launch the jobs over the given time, with a fault or a death between."""
    faulty.unlisted_seconds = 2
    deaths: list[Callable[[], None]] = [
        processes.kill_a_worker,
        processes.kill_a_worker,
        processes.kill_all_workers,
        processes.kill_a_beat,
        processes.kill_and_empty_the_broker,
    ]
    ends_at = time.monotonic() + options.minutes * 60
    n_faults = n_launched = 0
    while (left := ends_at - time.monotonic()) > 0:
        due = options.jobs * (1 - left / (options.minutes * 60) / 0.8 + 0.25)
        while n_launched < min(due, options.jobs):
            n_launched += launch(provider, version)
        if chance.random() < 0.75:
            kind, arguments = chance.choice(FAULTS)
            faulty.fails(chance.choice(AT), kind, **arguments)
            n_faults += 1
        else:
            chance.choice(deaths)()
        time.sleep(chance.uniform(0.3, 1.5))
    return n_faults


def launch(provider: Any, version: Any) -> int:
    from jobs_app import services

    job = services.create_job(
        provider=provider,
        dataset_version=version,
        base_model="base-model",
        hyperparameters={},
        by=None,
    )
    services.launch_job(job, by=None)
    return 1


def forget_claims() -> None:
    """As if hours had passed: nobody who held a claim is left alive."""
    from django.utils.timezone import now

    from jobs_app.models import FineTuningJob, JobStatus

    submitting = FineTuningJob.objects.filter(status=JobStatus.SUBMITTING)
    submitting.update(claimed_until=now() - LONG_AGO)
    FineTuningJob.objects.filter(next_poll_at__gt=now()).update(next_poll_at=now())


def drain() -> int:
    """Wait until every job is over. Returns how many are not."""
    from django.utils.timezone import now

    from jobs_app.models import FINISHED, FineTuningJob

    gives_up_at = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < gives_up_at:
        still_open = FineTuningJob.objects.exclude(status__in=FINISHED)
        has_more = FineTuningJob.objects.exclude(next_poll_at=None)
        if not still_open.exists() and not has_more.exists():
            return 0
        has_more.filter(next_poll_at__gt=now() + timedelta(seconds=5)).update(
            next_poll_at=now()
        )
        time.sleep(2)
    return still_open.count()


def report(faulty: FaultyProvider, n_open: int) -> int:
    from jobs_app.models import FineTuningJob

    jobs = list(FineTuningJob.objects.all())
    known = {job.remote_id for job in jobs}
    by_key = Counter(job["metadata"]["launch_key"] for job in faulty.jobs.values())
    lost = {
        "jobs nobody created": sum(str(job.launch_key) not in by_key for job in jobs),
        "jobs created but not known": len(set(faulty.jobs) - known),
        "jobs not over": n_open,
        "events": sum(missing_events(faulty, job) for job in jobs),
    }
    duplicates = {
        "jobs": sum(n - 1 for n in by_key.values()),
        "files": faulty.created["file"] - 1,
        "events": sum(doubled_events(job) for job in jobs),
    }
    say(f"launched: {len(jobs)}; created at the provider: {len(faulty.jobs)}")
    say(f"by status: {dict(Counter(job.status for job in jobs))}")
    for name, found in (("duplicates", duplicates), ("lost", lost)):
        told = ", ".join(f"{n} {what}" for what, n in found.items())
        say(f"{name}: {sum(found.values())} ({told})")
    return 1 if sum(duplicates.values()) + sum(lost.values()) else 0


def missing_events(faulty: FaultyProvider, job: Any) -> int:
    if job.remote_id not in faulty.jobs:
        return 0
    stored = set(job.events.values_list("remote_id", flat=True))
    there = {event["id"] for event in faulty.events.get(job.remote_id, [])}
    return len(there - stored)


def doubled_events(job: Any) -> int:
    ids = Counter(job.events.exclude(remote_id="").values_list("remote_id", flat=True))
    return sum(n - 1 for n in ids.values())


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
