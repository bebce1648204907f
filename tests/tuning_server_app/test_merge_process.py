"""The merging subprocess: its words are passed on, and it never outlives its worker."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any, NamedTuple

import pytest

from tuning_server_app import merge_process
from tuning_server_app.base_models import BaseModel
from tuning_server_app.merge_process import NotMerged
from tuning_server_app.training import merge as merging


class Stopped(Exception):
    pass


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "tests.tuning_server_app.merge_stand_in"
    monkeypatch.setattr(merge_process, "MODULE", module)


def run(
    behaviour: str, folder: Path, keep_going: Callable[[], None] = lambda: None
) -> None:
    merge_process.merge(
        BaseModel(behaviour, "source"),
        base_cache=folder,
        adapter=folder,
        target=folder,
        log_path=folder / "7.log",
        keep_going=keep_going,
    )


def test_what_ends_well_says_nothing(tmp_path: Path):
    run("succeeds", tmp_path)


def test_a_refusal_is_passed_on(tmp_path: Path):
    with pytest.raises(NotMerged, match=r"^No room\.$"):
        run("refuses", tmp_path)


def test_a_crash_leads_to_the_log(tmp_path: Path):
    with pytest.raises(NotMerged, match=r"7\.log"):
        run("crashes", tmp_path)
    assert "MemoryError" in (tmp_path / "7.log").read_text()


def test_whoever_has_to_stop_takes_the_process_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    started = []
    popen = merge_process.subprocess.Popen

    def remembered(*args: Any, **options: Any) -> Any:
        started.append(popen(*args, **options))
        return started[-1]

    def stop() -> None:
        raise Stopped

    monkeypatch.setattr(merge_process.subprocess, "Popen", remembered)
    with pytest.raises(Stopped):
        run("hangs", tmp_path, keep_going=stop)
    assert started[0].returncode == -signal.SIGTERM


class Merging:
    """A process that ends at the second look, or only when it is killed."""

    def __init__(self, *, hears: bool = True) -> None:
        self.calls: list[Any] = []
        self._hears = hears

    def poll(self) -> None:
        return None

    def terminate(self) -> None:
        self.calls.append("terminate")

    def kill(self) -> None:
        self.calls.append("kill")

    def wait(self, seconds: float | None = None) -> None:
        self.calls.append(seconds)
        if not self._hears and seconds is not None:
            raise TimeoutExpired("merging", seconds)
        self._hears = True


def test_while_it_merges_it_is_looked_every_second_whether_to_go_on():
    process: Any = Merging(hears=False)

    def go_on() -> None:
        process.calls.append("go on?")
        process._hears = process.calls.count("go on?") == 2

    merge_process._wait(process, go_on)
    look = merge_process.LOOK_SECONDS
    assert process.calls == [look, "go on?", look, "go on?", look]


@pytest.mark.parametrize(("hears", "then"), [(True, []), (False, ["kill", None])])
def test_a_process_that_does_not_stop_is_killed(hears: bool, then: list[Any]):
    process: Any = Merging(hears=hears)
    merge_process._stop(process)
    assert process.calls == ["terminate", merge_process.STOP_SECONDS, *then]


def test_the_end_of_a_merge_that_says_nothing_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(NotMerged):
        run("crashes", tmp_path)
    assert "Merging ended with 1" in caplog.text
    assert str(tmp_path / "7.log") in caplog.text


class Usage(NamedTuple):
    free: int


@pytest.mark.parametrize(("free", "fits"), [(20, True), (19, False)])
def test_the_disk_must_take_the_model_and_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
):
    (tmp_path / "model.safetensors").write_bytes(bytes(10))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free))
    if fits:
        merging._check_room(tmp_path, tmp_path)
        return
    with pytest.raises(merging.NoRoom, match=r"0\.0 GB free"):
        merging._check_room(tmp_path, tmp_path)
