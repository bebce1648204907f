"""One run on each device, or one run on several."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tuning_server_app.factories import make_job
from tuning_server_app import trainer_process
from tuning_server_app.devices import Device, take_device
from tuning_server_app.models import TuningJob
from tuning_server_app.services import training
from tuning_server_app.trainer_process import TrainerProcess


@pytest.fixture
def devices(settings: Any) -> Any:
    def set_up(*entries: str) -> None:
        settings.TUNING_SERVER_DEVICES = list(entries)

    return set_up


def names(device: Device | None) -> tuple[str, ...]:
    assert device is not None
    return device.names


def test_each_run_gets_a_device_of_its_own(devices: Any):
    devices("0", "1")
    with take_device() as one, take_device() as two, take_device() as three:
        assert (names(one), names(two), three) == (("0",), ("1",), None)


def test_a_device_is_free_when_its_run_is_over(devices: Any):
    devices("0")
    for _ in range(2):
        with take_device() as device:
            assert names(device) == ("0",)


def test_several_devices_are_taken_all_or_none(devices: Any):
    devices("0", "0+1", "1")
    with take_device() as one, take_device() as two, take_device() as three:
        assert (names(one), names(two), three) == (("0",), ("1",), None)


def test_without_a_setting_one_run_has_the_whole_machine(devices: Any):
    devices()
    with take_device() as one, take_device() as two:
        assert (names(one), two) == ((), None)
        assert one is not None
        assert one.environment == {}


def test_cuda_sees_the_devices_of_the_run_alone():
    assert Device(("2", "3")).environment == {"CUDA_VISIBLE_DEVICES": "2,3"}
    assert Device(("cpu", "cpu")).environment == {"CUDA_VISIBLE_DEVICES": ""}


def test_a_device_stays_taken_while_the_trainer_of_a_dead_worker_lives(devices: Any):
    devices("0")
    with take_device() as device:
        assert device is not None
        command = [sys.executable, "-c", "input()"]
        with_lock = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=device.locks
        )
    with with_lock as trainer:
        with take_device() as other:
            assert other is None
        trainer.kill()
    with take_device() as freed:
        assert names(freed) == ("0",)


@pytest.mark.django_db
def test_without_a_free_device_the_job_goes_on_waiting(devices: Any):
    make_job(status="queued")
    with take_device():
        assert training.train_next() is None
    assert TuningJob.objects.get().attempts == 0


@pytest.mark.django_db
def test_the_trainer_takes_the_job_whose_turn_it_is(monkeypatch: Any):
    taken: list[tuple[TuningJob, Device]] = []

    def train(job: TuningJob, device: Device) -> bool:
        taken.append((job, device))
        return len(taken) == 2  # another trainer was quicker at the first

    monkeypatch.setattr(training, "train", train)
    house = make_job(status="queued").organization
    make_job(organization=house, status="queued")
    other = make_job(status="queued")
    assert training.train_next() == other
    assert [device.names for _job, device in taken] == [(), ()]


def test_a_trainer_sees_its_device_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tell = "import json, os; print(json.dumps(dict(os.environ)))"
    command = [sys.executable, "-c", tell]
    monkeypatch.setattr(trainer_process, "_command", lambda *_: command)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with TrainerProcess(tmp_path, Device(("1",))) as process:
        event = next(filter(None, process.events()))
    assert event["CUDA_VISIBLE_DEVICES"] == "1"


def test_what_was_taken_of_several_is_free_when_not_all_are(devices: Any):
    devices("1", "0+1", "0")
    with take_device() as one, take_device() as two:
        assert (names(one), names(two)) == (("1",), ("0",))


def test_without_a_setting_workers_of_different_devices_run_at_once(
    devices: Any, monkeypatch: pytest.MonkeyPatch
):
    devices()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with take_device() as one, take_device() as again:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        with take_device() as other:
            assert (one is None, again, other is None) == (False, None, False)


def test_a_device_that_is_taken_costs_no_open_file(devices: Any):
    devices("0")
    with take_device():
        before = os.listdir("/proc/self/fd")  # noqa: PTH208  (its names, nothing more)
        with take_device() as second:
            assert second is None
            assert os.listdir("/proc/self/fd") == before  # noqa: PTH208
