"""`python -m tuning_server_app.training`, as the Celery worker starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[[Path], "subprocess.Popen[str]"]

ROOT = Path(__file__).parents[3]
STOPPED = 143
ENDLESS = {"n_epochs": 100_000}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    home = tmp_path / "home"
    home.mkdir()
    processes = []

    def start_trainer(folder: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tuning_server_app.training", str(folder)],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    yield start_trainer
    for process in processes:
        with process:
            process.kill()


def wait_for(process: "subprocess.Popen[str]", kind: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == kind:
            return
    pytest.fail(f"the trainer ended without {kind}")


def test_stdout_holds_events_alone_and_nothing_is_written_elsewhere(
    make_run, start, tmp_path
):
    folder = make_run(n_epochs=1)
    process = start(folder)

    # Not communicate(): it would close stdin, which ends the trainer.
    assert process.stdout is not None
    events = [json.loads(line) for line in process.stdout]

    assert process.wait() == 0
    assert events[-1]["type"] == "finished"
    assert not list((tmp_path / "home").iterdir())
    names = {"run.json", "training.jsonl", "checkpoints"}
    assert {path.name for path in folder.iterdir()} == names


def test_a_failed_run_exits_with_1(make_run, start):
    process = start(make_run(chats=["{"]))

    wait_for(process, "failed")

    assert process.wait() == 1


@pytest.mark.parametrize("moment", ["progress", "metrics"])
def test_sigterm_ends_it_within_two_seconds(make_run, start, moment):
    process = start(make_run(**ENDLESS))
    wait_for(process, moment)

    told_at = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait() == STOPPED
    assert time.monotonic() - told_at < 2


def test_it_ends_when_the_process_that_started_it_is_gone(make_run, start):
    process = start(make_run(**ENDLESS))
    wait_for(process, "metrics")

    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(timeout=2) == STOPPED
