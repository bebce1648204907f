"""Two real workers and two beats follow a job, and are killed at every step of it."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.datasets_app.at_work.site import Site
from tests.datasets_app.at_work.site import _database as own_database
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.faulty_provider import FaultyProvider

pytestmark = pytest.mark.processes
PATIENCE_SECONDS = 120
WORKER = (
    "celery --quiet -A finetune_site worker --queues celery --concurrency 1 "
    "--loglevel WARNING --without-mingle --without-gossip --without-heartbeat"
)
BEAT = "celery --quiet -A finetune_site beat --pidfile= --loglevel WARNING"
SEED = """
import django; django.setup()
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from jobs_app.models import JobStatus
from tests.factories import make_job, make_provider
every = IntervalSchedule.objects.create(every=1, period="seconds")
task = "jobs_app.tasks.drive_open_jobs"
PeriodicTask.objects.create(name="tick", task=task, interval=every)
provider = make_provider(base_url="{url}", api_key="{key}")
make_job(provider=provider, status=JobStatus.RUNNING, remote_id="{job}")
"""
MAKE_DUE = (
    "UPDATE jobs_app_finetuningjob SET next_poll_at = '2020-01-01 00:00:00', "
    "next_reading_at = '2020-01-01 00:00:00'"
)
# As if the two minutes had passed after which a dead worker's lease ends.
END_LEASES = "UPDATE jobs_app_providerpace SET polled_until = NULL, read_until = NULL"
WISH = "UPDATE jobs_app_finetuningjob SET cancel_requested_at = '2026-11-22 00:00:00'"
MOVES = "SELECT message FROM jobs_app_jobevent WHERE type = 'status' ORDER BY id"
TOLD = "SELECT message FROM jobs_app_jobevent WHERE remote_id <> '' ORDER BY message"


class Followers(Site):
    """A site that follows one job of a provider."""

    def begin_with(self, faulty: FaultyProvider, job_id: str) -> None:
        self.env["PROVIDER_ALLOWED_HOSTS"] = faulty.host
        self.start("-m", "finetune_site.broker")
        assert self.start("manage.py", "migrate", "--verbosity=0").wait() == 0
        seed = SEED.format(url=faulty.base_url, key=API_KEY, job=job_id)
        assert self.start("-c", seed).wait() == 0, self.log.read_text()
        self.start("-m", *BEAT.split())
        self.start("-m", *BEAT.split())
        self.start_workers()

    def start_workers(self) -> None:
        names = [f"--hostname=w{len(self.processes) + n}@%h" for n in range(2)]
        self.workers = [self.start("-m", *WORKER.split(), name) for name in names]

    def kill_workers(self) -> None:
        """With kill -9, all at once; others take their place."""
        for worker in self.workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.sql(END_LEASES)
        self.start_workers()

    def sql(self, statement: str) -> list[str]:
        url = self.env["DATABASE_URL"].replace("postgres://", "postgresql://")
        database: Any = (
            psycopg.connect(url)
            if url
            else sqlite3.connect(self.var / "db.sqlite3", timeout=30)
        )
        with closing(database), database:
            rows = database.execute(statement)
            return [row[0] for row in rows] if rows.description else []

    def wait_until(self, is_so: Any) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)


def test_whoever_is_killed_while_following_no_event_is_lost_and_none_doubled(
    tmp_path: Path,
):
    url = os.environ.get("DATABASE_URL", "")
    with FaultyProvider() as faulty, own_database(url) as own_url:
        job_id = faulty.add_job(status="running")["id"]
        (tmp_path / "var").mkdir()
        site = Followers(tmp_path / "var", own_url)
        try:
            site.begin_with(faulty, job_id)
            for step in ("show_job", "list_events", "list_checkpoints"):
                faulty.add_event(job_id, f"before {step}")
                die_at(site, faulty, step)
                site.wait_until(lambda step=step: f"before {step}" in site.sql(TOLD))
            site.sql(WISH)
            die_at(site, faulty, "cancel_job")
            die_at(site, faulty, "cancel_job", acts_first=True)
            site.wait_until(lambda: len(site.sql(MOVES)) == 1)
            assert site.sql(MOVES) == ["running → cancelled"]
            told = [message for message in site.sql(TOLD) if "before" in message]
            assert told == [
                "before list_checkpoints",
                "before list_events",
                "before show_job",
            ]
        finally:
            site.end()


def die_at(site: Followers, faulty: FaultyProvider, step: str, **how: bool) -> None:
    """Let a worker come to a step, and kill it there."""
    hold = faulty.holds(step, **how)
    site.sql(MAKE_DUE)
    assert hold.reached.wait(PATIENCE_SECONDS), site.log.read_text()
    site.kill_workers()
    hold.released.set()
    site.sql(MAKE_DUE)
