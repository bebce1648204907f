"""What is heard of a training subprocess and said to it; small programs stand in."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning_server_app import trainer_process
from tuning_server_app.trainer_process import TrainerProcess

READY = 'print(\'{"type": "ready"}\', flush=True)\n'
SLEEP = f"import time\n{READY}time.sleep(20)"
IGNORE = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
OBEY = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
ECHO = (
    "import json, sys\n"
    "for line in sys.stdin: print(json.dumps({'heard': line}), flush=True)"
)

Start = Callable[[str], TrainerProcess]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    def start(program: str) -> TrainerProcess:
        command = [sys.executable, "-S", "-c", program]
        monkeypatch.setattr(trainer_process, "_command", lambda *_: command)
        return TrainerProcess(tmp_path)

    return start


def wait_for_word(process: TrainerProcess) -> None:
    assert next(filter(None, process.events())) == {"type": "ready"}


def test_the_silence_of_a_trainer_is_told(
    start: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer_process, "LISTEN_SECONDS", 0.01)
    with start(SLEEP) as process:
        wait_for_word(process)
        assert next(process.events()) is None


def test_a_line_that_is_no_event_is_passed_over(start: Start, caplog: Any):
    with start(f"print('private chat')\nprint('[1]')\n{READY}") as process:
        assert [*filter(None, process.events())] == [{"type": "ready"}]
    assert "no event (13 bytes)" in caplog.text
    assert "private chat" not in caplog.text


def test_a_trainer_is_asked_to_pause_once(start: Start):
    with start(ECHO) as process:
        process.ask_to_pause()
        process.ask_to_pause()
        process._process.stdin.close()  # type: ignore[union-attr]
        heard = [*filter(None, process.events())]
    assert heard == [{"heard": "pause\n"}]


def test_a_trainer_that_ended_cannot_be_asked_to_pause(start: Start):
    with start("") as process:
        process.exit_code()
        process.ask_to_pause()


def test_a_trainer_that_does_not_find_its_end_is_killed(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    monkeypatch.setattr(trainer_process, "EXIT_SECONDS", 0.01)
    with start(SLEEP) as process:
        assert process.exit_code() == -signal.SIGKILL
    assert "did not end" in caplog.text


def test_a_trainer_is_first_asked_to_stop(
    start: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer_process, "STOP_SECONDS", 60)
    with start(OBEY + SLEEP) as process:
        wait_for_word(process)
    assert process._process.returncode == 7


def test_a_trainer_that_does_not_stop_is_killed(
    start: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer_process, "STOP_SECONDS", 0.01)
    with start(IGNORE + SLEEP) as process:
        wait_for_word(process)
    assert process._process.returncode == -signal.SIGKILL


def test_no_signal_goes_to_the_number_of_a_process_that_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch
):
    """It may be another one's by now."""
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("it was sent"))
    with start("") as process:
        process.exit_code()


def test_what_the_trainer_said_is_read_before_its_pipe_is_closed(start: Start):
    read: list[bool] = []

    class Reader:
        def join(self) -> None:
            read.append(not process._process.stdout.closed)  # type: ignore[union-attr]

    with start("") as process:
        process._reader.join()
        process._reader = Reader()  # type: ignore[assignment]
    assert read == [True]


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path):
    log = tmp_path / trainer_process.LOG
    log.write_text("OldError: long ago\n" + "x\n" * trainer_process.LOG_TAIL_BYTES)
    assert TrainerProcess(tmp_path).last_exception() == ""
