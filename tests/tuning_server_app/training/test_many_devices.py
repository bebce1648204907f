"""One run in several processes under `accelerate launch`: here two on the CPU."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import (
    CHATS,
    Event,
    losses,
    of_kind,
    train,
)
from tuning_server_app.devices import Device
from tuning_server_app.trainer_process import TrainerProcess

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)
TWO = Device(("cpu", "cpu"))
SECONDS_TO_END = 15  # 3 on a quiet machine
# Thirds, which two processes cannot share evenly; enough steps for a pause to be heard.
OPTIONS: dict[str, Any] = {
    "chats": CHATS * 4,
    "validation": CHATS[:3],
    "batch_size": 3,
    "n_epochs": 5,
    "learning_rate_multiplier": 3,
}


def train_in_two(folder: Path, *, pauses: bool) -> list[Event]:
    """To its end, or, asked at the first step, to a pause soon after it."""
    events = []
    with TrainerProcess(folder, TWO) as process:
        for event in filter(None, process.events()):
            events.append(event)
            if pauses and event["type"] == "metrics":
                process.ask_to_pause()
        assert process.exit_code() == 0, process.log_path.read_text()
    return events


def test_two_processes_train_the_same_model_as_one_although_they_pause(make_run):
    alone = train(make_run("alone", **OPTIONS))
    folder = make_run("two", **OPTIONS)

    before = train_in_two(folder, pauses=True)
    assert processes_of(folder) == []
    after = train_in_two(folder, pauses=False)

    assert before[-1] == {"type": "paused", "step": len(losses(before))}
    together = [*before, *after]
    assert losses(together) == pytest.approx(losses(alone), rel=1e-3)
    for name in ("full_valid_loss", "full_valid_mean_token_accuracy"):
        assert figures(together, name) == pytest.approx(figures(alone, name), rel=1e-3)
    for kind in ("metrics", "checkpoint", "finished"):  # each told once, by one of them
        assert len(of_kind(together, kind)) == len(of_kind(alone, kind))


def test_a_run_of_two_that_hangs_is_gone_as_soon_as_nobody_wants_it(make_run):
    folder = make_run(n_epochs=100_000)
    process = TrainerProcess(folder, TWO).__enter__()
    next(event for event in process.events() if event and "step" in event)
    hanging = set(processes_of(folder)) - {process._process.pid}  # the launcher
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)

    leaving = threading.Thread(target=process.__exit__, args=[None] * 3, daemon=True)
    leaving.start()
    leaving.join(SECONDS_TO_END)
    left = processes_of(folder)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert (len(hanging), left) == (2, [])


def processes_of(folder: Path) -> list[int]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words:
            found.append(int(command.parent.name))
    return found


def figures(events: list[Event], name: str) -> list[float]:
    return [event[name] for event in of_kind(events, "metrics") if name in event]
