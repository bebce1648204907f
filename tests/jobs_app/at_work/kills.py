"""Kill the worker at a known step of a submission, and let another one go on.

The provider holds the request of that step, so the worker is there and nowhere else.
Claims are short (`in_small`); windows run out by the clock of the database rows, which
is put forward.
"""

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.datasets_app.at_work.site import Site
from tests.jobs_app.faults import Hold
from tests.jobs_app.faulty_provider import FaultyProvider

PERSON = "tests.jobs_app.at_work.launcher"
PATIENCE_SECONDS = 120
# Longer than any window of a submission.
LONG_SECONDS = 2000
AT_PROVIDER = {"validating_files", "queued", "running", "paused"}
# Of a file of 700 rows there are several parts, where parts are this small.
N_ROWS_IN_PARTS = 700


@dataclass(frozen=True)
class Step:
    """A request that the provider holds: before it acts on it, or when it has."""

    operation: str
    acts_first: bool
    in_parts: bool = False

    def __str__(self) -> str:
        when = "after" if self.acts_first else "before"
        return f"{when}-{self.operation}"


STEPS = [
    Step("list_jobs", False),  # claimed; nothing is asked for yet
    Step("list_files", False),
    Step("upload_file", False),  # the file is on its way
    Step("upload_file", True),  # it arrived, and its id is stored nowhere
    Step("show_file", True),
    Step("create_job", False),
    Step("create_job", True),  # it trains, and its id is stored nowhere
    Step("create_upload", True, in_parts=True),
    Step("add_part", False, in_parts=True),
    Step("add_part", True, in_parts=True),
    Step("complete_upload", False, in_parts=True),
    Step("complete_upload", True, in_parts=True),
]
# Where a worker that wakes up would go on to send what another one has sent.
SLEEPS = [
    Step("list_jobs", True),
    Step("list_files", True),
    Step("upload_file", True),
    Step("show_file", True),
    Step("create_job", True),
    Step("add_part", True, in_parts=True),
]


def wait_for(is_so: Callable[[], bool], site: Site) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, site.log.read_text()[-4000:]
        time.sleep(0.02)


def kill(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_worker(site: Site) -> None:
    kill(site.worker)
    site.worker = None


def killed_at(step: Step, site: Site, faulty: FaultyProvider) -> tuple[int, int]:
    """Launch a job, kill its worker at the step, and follow it until it is there.

    Returns the keys of the job and of its provider.
    """
    hold, job, provider = held_at(step, site, faulty)
    kill_worker(site)
    hold.released.set()
    site.start_worker()
    follow([job], site)
    return job, provider


def held_at(step: Step, site: Site, faulty: FaultyProvider) -> tuple[Hold, int, int]:
    """Launch a job, and let its worker come to the step."""
    faulty.forget()
    fields = {"kind": "openai"} if step.in_parts else {}
    provider = site.ask("new_provider", base_url=faulty.base_url, **fields)
    n_rows = N_ROWS_IN_PARTS if step.in_parts else 10
    version = site.ask("new_version", provider=provider, n_rows=n_rows)
    hold = faulty.holds(
        step.operation, acts_first=step.acts_first, is_answered=step.acts_first
    )
    if site.worker is None:
        site.start_worker()
    job = site.ask("launch", provider=provider, version=version)
    wait_for(hold.reached.is_set, site)
    return hold, job, provider


def asleep_at(step: Step, site: Site, faulty: FaultyProvider) -> tuple[int, int]:
    """Likewise, but the worker is stopped, and wakes when another one has done it."""
    hold, job, provider = held_at(step, site, faulty)
    asleep, site.worker = site.worker, None
    assert asleep
    os.killpg(asleep.pid, signal.SIGSTOP)
    site.start_worker()
    follow([job], site)
    hold.released.set()
    os.killpg(asleep.pid, signal.SIGCONT)
    asleep.terminate()  # it ends what it was doing first
    asleep.wait(PATIENCE_SECONDS)
    return job, provider


def follow(jobs: list[int], site: Site) -> None:
    """Ticks come, and time goes by, until all the jobs are at their provider."""

    def are_there() -> bool:
        return all(site.ask("state", job=j)["status"] in AT_PROVIDER for j in jobs)

    until = time.monotonic() + PATIENCE_SECONDS
    while not are_there():
        assert time.monotonic() < until, site.log.read_text()[-4000:]
        site.ask("let_pass", seconds=LONG_SECONDS)
        site.ask("tick")
        pause = time.monotonic() + 2
        while time.monotonic() < pause and not are_there():
            time.sleep(0.1)


def assert_once(job: int, provider: int, site: Site, faulty: FaultyProvider) -> None:
    """One run, one file, and the rows know both."""
    assert faulty.created["job"] == len(faulty.jobs) == 1
    assert faulty.created["file"] == len(faulty.files) == 1
    assert site.ask("state", job=job)["remote_id"] in faulty.jobs
    assert site.ask("files", provider=provider) == list(faulty.files)


def empty_broker(site: Site) -> None:
    """Kill it, delete all that it had written, and start another."""
    kill(site.broker)
    shutil.rmtree(site.var / "broker")
    site.broker = site.start("-m", "finetune_site.broker")
    wait_for(lambda: _listens(site.var / "broker.sock"), site)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
