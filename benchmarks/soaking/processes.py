"""Broker, workers and beats of a site, killed, stopped and started again."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

WORKER = "celery --quiet -A benchmarks.soaking.impatient worker --queues celery"
BEAT = "celery --quiet -A finetune_site beat --pidfile="
N_WORKERS = N_BEATS = 2
# Longer than a claim. Who sleeps in a transaction holds all of SQLite up: a laptop
# stops all processes at once, so there no sleep is longer than others wait for a lock.
LONGEST_SLEEP, LONGEST_SLEEP_ON_SQLITE = 40.0, 12.0


class Processes:
    """All chances are drawn from `chance`; `n_deaths` counts what happened."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.log = (folder / "processes.log").open("ab")
        self.n_deaths: Counter[str] = Counter()
        self.leaving: list[subprocess.Popen[bytes]] = []
        # Workers that sleep, and when they wake.
        self.asleep: list[tuple[float, subprocess.Popen[bytes]]] = []
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
        more = ("--concurrency", "2", "--loglevel=WARNING", name)
        return self.start("-m", *WORKER.split(), *more)

    def kill_a_worker(self) -> None:
        n = self.chance.randrange(N_WORKERS)
        self._kill("worker killed", self.workers[n])
        self.workers[n] = self.worker(n)

    def kill_all_workers(self) -> None:
        for worker in self.workers:
            self._kill("worker killed", worker)
        self.workers = [self.worker(n) for n in range(N_WORKERS)]

    def let_a_worker_sleep(self) -> None:
        """As a suspended laptop does; another one takes its place meanwhile."""
        n = self.chance.randrange(N_WORKERS)
        os.killpg(self.workers[n].pid, signal.SIGSTOP)
        longest = LONGEST_SLEEP_ON_SQLITE if is_sqlite() else LONGEST_SLEEP
        until = time.monotonic() + self.chance.uniform(1, longest)
        self.asleep.append((until, self.workers[n]))
        self.workers[n] = self.worker(n)
        self.n_deaths["worker stopped for a while"] += 1

    def wake_workers(self) -> None:
        """Those whose time has come end what they were doing, and go."""
        awake = [each for each in self.asleep if each[0] <= time.monotonic()]
        for each in awake:
            self.asleep.remove(each)
            os.killpg(each[1].pid, signal.SIGCONT)
            each[1].terminate()
            self.leaving.append(each[1])

    def kill_a_beat(self) -> None:
        n = self.chance.randrange(N_BEATS)
        self._kill("beat killed", self.beats[n])
        self.beats[n] = self.start("-m", *BEAT.split())

    def kill_and_empty_the_broker(self) -> None:
        self._kill("broker killed and emptied", self.broker)
        shutil.rmtree(self.folder / "broker", ignore_errors=True)
        self.broker = self.start("-m", "finetune_site.broker")

    def wake_all(self) -> None:
        self.asleep = [(0.0, worker) for _until, worker in self.asleep]
        self.wake_workers()

    def end(self) -> None:
        self.wake_all()
        for process in (*self.leaving, *self.workers, *self.beats, self.broker):
            self._kill("", process)

    def _kill(self, name: str, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.n_deaths[name] += 1


def is_sqlite() -> bool:
    from django.db import connection

    return connection.vendor == "sqlite"
