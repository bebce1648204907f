"""A worker at a long task notices its end."""

import os
import signal
import threading

import pytest

from tuning_server_app.worker_life import WorkerLife


def test_a_worker_that_is_told_to_stop_is_ending():
    with WorkerLife() as worker:
        assert not worker.is_ending
        os.kill(os.getpid(), signal.SIGTERM)
        assert worker.is_ending


def test_a_worker_whose_parent_died_is_ending(monkeypatch: pytest.MonkeyPatch):
    with WorkerLife() as worker:
        monkeypatch.setattr(os, "getppid", lambda: -1)  # 1 may be the real one
        assert worker.is_ending


def test_the_signal_is_the_workers_again_after_the_task():
    before = signal.getsignal(signal.SIGTERM)
    with WorkerLife():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_task_in_a_thread_runs_without_the_signal():
    ended: list[bool] = []

    def work() -> None:
        with WorkerLife() as worker:
            ended.append(worker.is_ending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert ended == [False]
