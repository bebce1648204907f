"""A site of its own with a real broker and real workers, on either database."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.conf import settings

PATIENCE_SECONDS = 120
OPEN = ("pending", "running")
LOOKS_A_TICK = 40
WORKER = (
    "celery --quiet -A {app} worker --queues celery --concurrency 1 "
    "--loglevel WARNING --without-mingle --without-gossip --without-heartbeat"
)

BEAT = "celery --quiet -A finetune_site beat --pidfile= --loglevel WARNING"
PERSON = "tests.datasets_app.at_work.person"


class Site:
    """`person` is the module whose functions `ask` calls."""

    def __init__(self, var: Path, database_url: str, person: str = PERSON) -> None:
        self.var, self.log = var, var / "log"
        self.person_module = person
        self.celery_app = "finetune_site"
        self.env = {
            **os.environ,
            "FINETUNE_SITE_VAR": str(var),
            "DATABASE_URL": database_url,
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "finetune_site.settings",
        }
        self.processes: list[subprocess.Popen[str]] = []
        self.worker: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        self.broker = broker = self.start("-m", "finetune_site.broker")
        migrated = self.start("manage.py", "migrate", "--verbosity=0").wait()
        assert migrated == 0, self.log.read_text()
        assert broker.poll() is None, self.log.read_text()
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.person = self.start("-m", self.person_module, **pipes)

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=self.env,
                text=True,
                start_new_session=True,
                **{"stdout": log, "stderr": log, **options},
            )
        self.processes.append(process)
        return process

    def run(self, script: str, **values: object) -> None:
        """Run Python with Django set up, {values} filled in, to its end."""
        command = "import django; django.setup()\n" + script.format(**values)
        assert self.start("-c", command).wait() == 0, self.log.read_text()

    def start_worker(self) -> None:
        name = f"--hostname=worker{len(self.processes)}@%h"
        self.worker = self.start(
            "-m", *WORKER.format(app=self.celery_app).split(), name
        )

    def start_beat(self) -> subprocess.Popen[str]:
        return self.start("-m", *BEAT.split())

    def ask(self, function: str, **arguments: Any) -> Any:
        """Call a function of `person`."""
        told, heard = self.person.stdin, self.person.stdout
        told.write(json.dumps([function, arguments]) + "\n")  # type: ignore[union-attr]
        told.flush()  # type: ignore[union-attr]
        answer = heard.readline()  # type: ignore[union-attr]
        assert answer, self.log.read_text()
        return json.loads(answer)

    def kill_worker(self, model: str, pk: int, **arguments: Any) -> bool:
        assert self.worker
        was_in_the_middle = self.ask(
            "kill", model=model, pk=pk, group=self.worker.pid, **arguments
        )
        self.worker.wait()
        self.worker = None
        return bool(was_in_the_middle)

    def wait_for_the_end(self, model: str, pk: int) -> str:
        """Beat ticks all the while: what a dying worker takes along rings again."""
        began = time.monotonic()
        for n in count():
            if n % LOOKS_A_TICK == 0:
                self.ask("tick")
            if (state := self.ask("state", model=model, pk=pk)) not in OPEN:
                return str(state)
            assert time.monotonic() < began + PATIENCE_SECONDS, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError

    def end(self) -> None:
        for process in self.processes:
            kill(process)
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()


def kill(process: subprocess.Popen[str]) -> None:
    """It, and those of its group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def new_site(var: Path, url: str, person: str = PERSON) -> Iterator[Site]:
    """`url` is a DATABASE_URL; on its server the site makes a database for itself."""
    var.mkdir()
    with _database(url) as own_url:
        site = Site(var, own_url, person)
        try:
            site.begin()
            yield site
        finally:
            site.end()


@contextmanager
def _database(url: str) -> Iterator[str]:
    if not url:
        yield ""
        return
    name = f"site_{uuid4().hex}"
    address = url.replace("postgres://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield url.replace("/postgres?", f"/{name}?")
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
