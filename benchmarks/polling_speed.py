"""What a tick costs when many jobs are open at one provider.

    python -m benchmarks.polling_speed [--jobs 1000 10000] [--ticks 12] [--postgresql]

All jobs are running and due in every tick. In the first half of the ticks nothing
happens at the provider; in the second half one job in a hundred moves between two
ticks, and moved jobs are read. The provider is a process of its own that answers over
real HTTP. Requests of the poll and of the reading are counted apart: the poll is what
grows with pages of a hundred; the reading has a bound of its own in every round.
"""

import argparse
import multiprocessing
import os
import random
import resource
import time
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.seeded import in_scratch_site

JOB = {
    "object": "fine_tuning.job",
    "created_at": 1_790_000_000,
    "finished_at": None,
    "estimated_finish": None,
    "fine_tuned_model": None,
    "organization_id": "org-123",
    "result_files": [],
    "status": "running",
    "validation_file": None,
    "training_file": "file-abc123",
    "trained_tokens": None,
    "error": {},
    "seed": 42,
    "hyperparameters": {"n_epochs": 4, "batch_size": 8},
    "method": {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": 8}},
    },
    "metadata": {"launch_key": "c5fd32a5-1c1b-4a6e-8e0f-0e8b9ad40a5b"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--ticks", type=int, default=12)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with in_scratch_site(on_postgresql=options.postgresql):
        for n_jobs in options.jobs:
            measure(n_jobs, options.ticks)


def measure(n_jobs: int, n_ticks: int) -> None:
    from django.db import connection

    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    server.start()
    ours.send(n_jobs)
    base_url, host, ids = ours.recv()
    provider = seed(base_url, host, ids)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{n_jobs:,} open jobs, {connection.vendor}, load average {load}")
    print("tick  moved  poll requests  poll s  CPU s  jobs read  reading s  peak MB")
    try:
        for tick in range(1, n_ticks + 1):
            n_moved = n_jobs // 100 if tick > n_ticks // 2 else 0
            print(f"{tick:4}{n_moved:7}{one_tick(provider, n_moved, ours)}")
    finally:
        ours.send(None)
        server.join()


def serve(pipe: Connection) -> None:
    """The provider: `n` adds that many jobs, `-n` moves so many, None ends it."""
    from tests.jobs_app.fake_provider import FakeProvider

    with FakeProvider() as fake:
        while n := pipe.recv():
            if n > 0:
                ids = [fake.add_job(**JOB)["id"] for _ in range(n)]
                pipe.send((fake.base_url, fake.host, ids))
                continue
            for job_id in random.sample(sorted(fake.jobs), -n):
                job = fake.jobs[job_id]
                job["trained_tokens"] = (job["trained_tokens"] or 0) + 1000
                fake.add_event(job_id, "Step 100", type="metrics", data={"step": 100})
            pipe.send(None)


def seed(base_url: str, host: str, ids: list[str]) -> Any:
    from django.conf import settings
    from django.utils.timezone import now

    from jobs_app.models import FineTuningJob, JobStatus
    from tests.factories import make_provider, make_version
    from tests.jobs_app.fake_provider import API_KEY

    settings.PROVIDER_ALLOWED_HOSTS = [host]
    version = make_version()
    provider = make_provider(
        team=version.dataset.team,
        base_url=base_url,
        api_key=API_KEY,
        requests_per_minute=100_000,
    )
    jobs = [
        FineTuningJob(
            team=provider.team,
            provider=provider,
            dataset_version=version,
            base_model="base-model",
            status=JobStatus.RUNNING,
            launched_at=now(),
            estimated_tokens=1,
            remote_id=remote_id,
            remote_status="running",
            resolved_hyperparameters={"n_epochs": 4, "batch_size": 8},
        )
        for remote_id in ids
    ]
    FineTuningJob.objects.bulk_create(jobs, batch_size=500)
    return provider


def one_tick(provider: Any, n_moved: int, pipe: Connection) -> str:
    from django.utils.timezone import now

    from jobs_app import services
    from jobs_app.models import FineTuningJob

    if n_moved:
        pipe.send(-n_moved)
        pipe.recv()
    due = now() - timedelta(seconds=1)
    FineTuningJob.objects.filter(provider=provider).update(next_poll_at=due)
    began, cpu = time.perf_counter(), time.process_time()
    n_polled = services.poll_provider(provider)
    polled, cpu = time.perf_counter(), time.process_time() - cpu
    n_read = services.read_histories(provider)
    read = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (
        f"{n_polled:15}{polled - began:8.2f}{cpu:7.2f}{n_read:11}"
        f"{read - polled:11.2f}{peak:9}"
    )


if __name__ == "__main__":
    main()
