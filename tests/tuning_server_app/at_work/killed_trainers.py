"""A real trainer whose worker and broker are killed in the middle of a training.

Not part of the suite, for it takes a minute: `pytest` with this file's path. The suite
kills the training process itself (tests/contract/test_interrupted_training.py).
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasets_app.at_work.site import Site, new_site
from tests.tuning_server_app.tiny_model import make_tiny_model

pytestmark = [pytest.mark.processes, pytest.mark.torch]

PERSON = "tests.tuning_server_app.at_work.person"
EPOCHS = 40
TRAINER = "celery --quiet -A finetune_site worker --queues {queue} --concurrency 1"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    base = make_tiny_model(tmp_path / "base")
    monkeypatch.setenv("TUNING_SERVER_BASE_MODELS", f"tiny={base}")
    with new_site(tmp_path / "var", "", PERSON) as site:
        yield site


def start_worker(site: Site, queue: str) -> Any:
    hostname = f"--hostname={queue}{len(site.processes)}@%h"
    return site.start("-m", *TRAINER.format(queue=queue).split(), hostname)


def when(site: Site, job: int, is_so: Callable[[dict[str, Any]], bool]) -> Any:
    for n in range(6000):
        seen = site.ask("look", job=job)
        if is_so(seen):
            return seen
        if n % 50 == 49:
            site.ask("tick")
        time.sleep(0.05)
    raise AssertionError(site.log.read_text())


def trainers(site: Site) -> list[int]:
    """The training processes of this site that live."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes()
        except OSError:
            continue
        if b"tuning_server_app.training" in words and str(site.var).encode() in words:
            found.append(int(command.parent.name))
    return found


def kill(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_training_outlives_its_worker_and_the_broker(site: Site):
    start_worker(site, "celery")
    trainer = start_worker(site, "training")
    job = site.ask("new_job", epochs=EPOCHS)
    when(site, job, lambda seen: len(seen["steps"]) > 15)

    kill(site.broker)
    steps = len(site.ask("look", job=job)["steps"])
    when_quiet = time.monotonic() + 60
    while len(site.ask("look", job=job)["steps"]) < steps + 15:
        assert time.monotonic() < when_quiet
    site.broker = site.start("-m", "finetune_site.broker")

    kill(trainer)
    deadline = time.monotonic() + 60
    while trainers(site):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert site.ask("look", job=job)["status"] == "running"
    start_worker(site, "training")
    site.ask("pass_time", job=job)

    seen = when(site, job, lambda seen: seen["status"] not in ("queued", "running"))
    assert seen["status"] == "succeeded", seen
    assert seen["steps"] == list(range(1, 10 * EPOCHS + 1))
    assert (seen["n_lost"], seen["attempts"]) == (1, 2)
