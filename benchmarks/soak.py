"""Launch jobs while everything fails and dies at random, and count what was lost.

    python -m benchmarks.soak [--jobs 40] [--minutes 3] [--seed 1] [--postgresql]

Real broker, two real workers, two beats, and two providers that fail in every way
(tests/jobs_app/faulty_provider.py), of which one takes files in parts. Workers, beats
and the broker, its data with it, are killed with SIGKILL while they work; workers are
stopped, and wake when others do their work; some jobs are cancelled. Then everything is
well again, and what was launched must be at its provider: each job once, with all its
events, and each version's file once. Bounded by its counts, all on loopback, in a
folder of its own. Exit status 1 if anything was lost or doubled.
"""

import argparse
import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.seeded import in_scratch_site, load
from benchmarks.soaking.faults import be_well, go_wrong_once
from benchmarks.soaking.processes import Processes
from benchmarks.soaking.report import report, say
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.faulty_provider import FaultyProvider

DRAIN_SECONDS = 420.0
N_VERSIONS = 3
# Several parts, where parts are small.
N_ROWS = 700
LATEST_LAUNCH = 0.8  # of the time
SHARE_CANCELLED = 0.08
# A worker should live long enough to get to work: each start takes seconds.
SHARE_OF_DEATHS = 0.08
A_MOMENT = timedelta(seconds=5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(FaultyProvider(training_seconds=20)) for _ in range(2)
        ]
        os.environ["PROVIDER_ALLOWED_HOSTS"] = ",".join(each.host for each in servers)
        site = in_scratch_site(on_postgresql=options.postgresql)
        folder = stack.enter_context(site)
        sys.exit(1 if soak(servers, folder, options) else 0)


def soak(
    servers: list[FaultyProvider], folder: Path, options: argparse.Namespace
) -> int:
    from finetune_site.first_start import make_ticks

    chance = random.Random(options.seed)  # noqa: S311 no secret
    make_ticks()
    launches = Launches(servers, chance)
    processes = Processes(folder, chance)
    began, told = time.monotonic(), Counter[str]()
    try:
        go_wrong(launches, processes, chance, options, told)
        for faulty in servers:
            be_well(faulty)
        processes.kill_all_workers()
        processes.wake_all()
        drain(launches)
    finally:
        processes.end()
    del processes.n_deaths[""]
    say(f"seed {options.seed}, {time.monotonic() - began:.0f} s, load {load()}")
    say(f"faults: {told.total()} {dict(told)}")
    say(f"deaths: {dict(processes.n_deaths)}")
    return report(list(zip(launches.providers, servers, strict=True)))


class Launches:
    """Jobs of a few versions at each provider."""

    def __init__(self, servers: list[FaultyProvider], chance: random.Random) -> None:
        from tests.factories import (
            chat_lines,
            make_dataset,
            make_provider,
            make_team,
            make_version,
        )

        team = make_team()
        self.servers, self.chance = servers, chance
        # Of the kind openai a file of more than a part goes in parts here.
        self.providers = [
            make_provider(
                team=team,
                base_url=each.base_url,
                api_key=API_KEY,
                kind=kind,
                requests_per_minute=6000,
            )
            for each, kind in zip(servers, ("compatible", "openai"), strict=True)
        ]
        dataset = make_dataset(team=team)
        self.versions = [
            make_version(dataset=dataset, number=n, training=chat_lines(N_ROWS + n))
            for n in range(1, N_VERSIONS + 1)
        ]

    def launch(self) -> int:
        from jobs_app import services

        job = services.create_job(
            provider=self.chance.choice(self.providers),
            dataset_version=self.chance.choice(self.versions),
            base_model="base-model",
            hyperparameters={},
            by=None,
        )
        services.launch_job(job, by=None)
        return 1

    def cancel_one(self) -> None:
        """Whatever becomes of the request: the wish is noted."""
        from jobs_app import services
        from jobs_app.models import OPEN, FineTuningJob, IllegalTransition
        from jobs_app.providers import ProviderError

        jobs = list(FineTuningJob.objects.filter(status__in=OPEN))
        if jobs:
            with contextlib.suppress(ProviderError, IllegalTransition):
                services.cancel_job(self.chance.choice(jobs), by=None)

    def look_again(self) -> None:
        """What a person does who cannot decide yet."""
        from jobs_app import services

        for job in self._unsure():
            services.look_again(job, by=None)

    def decide(self) -> None:
        """What a person does who sees at the provider which jobs it has."""
        from jobs_app import services

        for job in self._unsure():
            faulty = self.servers[self.providers.index(job.provider)]
            there = [
                remote_id
                for remote_id, theirs in faulty.jobs.items()
                if theirs["metadata"]["launch_key"] == str(job.launch_key)
            ]
            if there:
                services.take_as_ours(job, there[0], by=None)
            else:
                services.launch_again(job, by=None)

    def _unsure(self) -> list[Any]:
        from jobs_app.models import FineTuningJob, JobStatus

        unsure = FineTuningJob.objects.filter(status=JobStatus.UNSURE)
        return list(unsure.select_related("provider"))


def go_wrong(
    launches: Launches,
    processes: Processes,
    chance: random.Random,
    options: argparse.Namespace,
    told: Counter[str],
) -> None:
    """Launch the jobs over the given time, with a fault or a death between."""
    deaths: list[Callable[[], None]] = [
        processes.kill_a_worker,
        processes.kill_a_worker,
        processes.kill_all_workers,
        processes.let_a_worker_sleep,
        processes.let_a_worker_sleep,
        processes.kill_a_beat,
        processes.kill_and_empty_the_broker,
    ]
    seconds, began = options.minutes * 60, time.monotonic()
    n_launched = 0
    while (gone := time.monotonic() - began) < seconds:
        due = options.jobs * min(1.0, gone / seconds / LATEST_LAUNCH + 0.1)
        while n_launched < int(due):
            n_launched += launches.launch()
            if chance.random() < SHARE_CANCELLED:
                launches.cancel_one()
        for faulty in launches.servers:
            go_wrong_once(faulty, chance, told)
        if chance.random() < SHARE_OF_DEATHS:
            chance.choice(deaths)()
        if chance.random() < 0.1:
            hurry()
            launches.look_again()
        processes.wake_workers()
        time.sleep(chance.uniform(0.3, 1.5))


def drain(launches: Launches) -> None:
    """Wait until every job is over, and all that was told of it is read. Where nothing
    but a person can tell whether the provider has a job, one decides."""
    from django.db.models import Q

    from jobs_app.models import OPEN, FineTuningJob

    is_unfinished = Q(status__in=OPEN) | ~Q(next_reading_at=None)
    gives_up_at = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < gives_up_at:
        if not FineTuningJob.objects.filter(is_unfinished).exists():
            return
        hurry()
        launches.decide()
        time.sleep(2)


def hurry() -> None:
    """Waits that grow to minutes after failures are cut."""
    from django.utils.timezone import now

    from jobs_app.models import FineTuningJob, ProviderPace

    soon = now() + A_MOMENT
    for name in ("next_poll_at", "next_reading_at"):
        late: dict[str, Any] = {f"{name}__gt": soon}
        FineTuningJob.objects.filter(**late).update(**{name: soon})
    ProviderPace.objects.update(blocked_until=None)


if __name__ == "__main__":
    main()
