"""A real trainer under whose training the broker, its worker and then the whole machine
are killed: the training goes on by itself, and tells every step once.

That the training process itself is killed: tests/contract/test_interrupted_training.py.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasets_app.at_work.site import Site, kill, new_site, wait_for
from tests.tuning_server_app.tiny_model import make_tiny_model

pytestmark = [pytest.mark.processes, pytest.mark.torch]

PERSON = "tests.tuning_server_app.at_work.person"
EPOCHS = 60
STEPS = 10 * EPOCHS
TRAINER = (
    "celery --quiet -A finetune_site worker --queues training --concurrency 1 "
    "--loglevel WARNING --without-mingle --without-gossip --without-heartbeat"
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    base = make_tiny_model(tmp_path / "base")
    monkeypatch.setenv("TUNING_SERVER_BASE_MODELS", f"tiny={base}")
    with new_site(tmp_path / "var", "", PERSON) as site:
        site.ask("schedule_ticks")
        yield site


def start_trainer(site: Site) -> Any:
    name = f"--hostname=trainer{len(site.processes)}@%h"
    return site.start("-m", *TRAINER.split(), name)


def start_machine(site: Site) -> Any:
    """All that works for the tuning server, but the broker; the trainer of it."""
    site.start_beat()
    site.start_worker()
    return start_trainer(site)


def kill_machine(site: Site) -> None:
    for process in site.processes:
        if process is not site.person:
            kill(process)
    for pid in trainings(site):
        os.kill(pid, signal.SIGKILL)


def trainings(site: Site) -> list[int]:
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


def when(site: Site, job: int, is_so: Callable[[dict[str, Any]], bool]) -> Any:
    """What is seen of the job as soon as it is so."""
    seen: dict[str, Any] = {}

    def look() -> bool:
        seen.update(site.ask("look", job=job))
        return is_so(seen)

    try:
        wait_for(look)
    except AssertionError:
        raise AssertionError(f"{seen}\n{site.log.read_text()}") from None
    return seen


def has_saved(steps: int) -> Callable[[dict[str, Any]], bool]:
    """It has told of more steps than these, and saved some of its own."""
    return lambda seen: len(seen["steps"]) > steps and seen["saved"] > 0


def test_a_training_outlives_the_broker_its_worker_and_the_machine(site: Site):
    trainer = start_machine(site)
    job = site.ask("new_job", epochs=EPOCHS)
    seen = when(site, job, has_saved(steps=20))

    kill(site.broker)
    seen = when(site, job, has_saved(steps=len(seen["steps"]) + 20))
    site.broker = site.start("-m", "finetune_site.broker")

    kill(trainer)
    wait_for(lambda: not trainings(site))
    start_trainer(site)
    site.ask("pass_time")
    seen = when(site, job, lambda seen: len(seen["went_on"]) == 1)
    seen = when(site, job, has_saved(steps=len(seen["steps"]) + 20))

    kill_machine(site)
    assert site.ask("look", job=job)["status"] == "running"
    site.broker = site.start("-m", "finetune_site.broker")
    start_machine(site)
    site.ask("pass_time")

    seen = when(site, job, lambda seen: seen["status"] not in ("queued", "running"))
    assert seen["status"] == "succeeded", seen
    assert seen["steps"] == list(range(1, STEPS + 1))
    assert (len(seen["went_on"]), seen["n_lost"], seen["attempts"]) == (2, 2, 3)
