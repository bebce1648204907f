"""The base models' tokenizers: made once, read where they are, given up in time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuning_server_app.conftest import CONTEXT
from tests.tuning_server_app.factories import BASE
from tuning_server_app.services import tokenizers
from tuning_server_app.services.tokenizers import reader_of


def go_on() -> None:
    pass


@pytest.mark.parametrize(
    ("sources", "begun"),
    [({"org/here": "a", "there": "b"}, ["there"]), ({"far": "hub:a/b"}, [])],
)
def test_only_missing_tokenizers_are_saved(
    settings, tmp_path, monkeypatch, sources: dict[str, str], begun: list[str]
):
    settings.TUNING_SERVER_BASE_MODELS = sources
    started: list[list[str]] = []
    monkeypatch.setattr(
        tokenizers.subprocess, "Popen", lambda command, **_: started.append(command)
    )
    (tmp_path / "org--here").mkdir()

    tokenizers.begin_saving_tokenizers(tmp_path)

    wanted = [[name, sources[name], str(tmp_path / name)] for name in begun]
    assert [command[-3:] for command in started] == wanted


@pytest.fixture
def kept(settings: Any) -> Path:
    """Where the tokenizer of BASE is kept."""
    return Path(settings.TUNING_SERVER_DIR) / "tokenizers" / BASE


def test_files_that_are_there_are_not_made_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokenizers, "_save", lambda *_: pytest.fail("it was made"))
    reader = reader_of(BASE, go_on)
    assert reader is not None
    assert reader.max_tokens == CONTEXT


def test_files_that_are_not_there_are_made(
    kept: Path, small_tokenizer: Path, monkeypatch: pytest.MonkeyPatch
):
    kept.unlink()
    monkeypatch.setattr(tokenizers, "_save", lambda *_: small_tokenizer)
    assert reader_of(BASE, go_on) is not None


def test_a_model_that_nobody_has_is_read_by_nothing():
    assert reader_of("nobody", go_on) is None


def test_files_that_vanish_as_they_are_read_are_read_by_nothing(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(tokenizers, "tokenizer_in", lambda _folder: None)
    assert reader_of(BASE, go_on) is None


def test_files_that_cannot_be_read_are_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    def fail(_folder: Path) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(tokenizers, "tokenizer_in", fail)
    assert reader_of(BASE, go_on) is None
    assert f"The tokenizer of {BASE} cannot be read" in caplog.text


@pytest.mark.parametrize("config", [None, b"{", b"[]", b"{}", b'{"%b": "many"}'])
def test_a_context_that_the_files_do_not_tell_is_not_known(
    tmp_path: Path, config: bytes | None
):
    if config is not None:
        name = tokenizers.CONTEXT.encode()
        content = config % name if b"%" in config else config
        (tmp_path / "config.json").write_bytes(content)
    assert tokenizers._context(tmp_path) is None


class Saving:
    """A process that has ended at the second look."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self._looks = iter([None, None, 0])

    def poll(self) -> int | None:
        return next(self._looks)

    def wait(self, seconds: float | None = None) -> None:
        self.calls.append(seconds)
        if self.calls.count(seconds) == 1 and seconds is not None:
            raise subprocess.TimeoutExpired("saving", 1)

    def kill(self) -> None:
        self.calls.append("kill")


Save = Callable[..., Path | None]


@pytest.fixture
def save(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Save:
    def save(process: Any, keep_going: Callable[[], None]) -> Path | None:
        monkeypatch.setattr(tokenizers, "_begin_saving", lambda *_: process)
        base: Any = None
        return tokenizers._save(base, tmp_path, keep_going)

    return save


def test_whoever_waits_for_files_looks_up_every_second(save: Save):
    process = Saving()
    found = save(process, lambda: process.calls.append("go on?"))
    seconds = tokenizers.LOOK_SECONDS
    assert process.calls == ["go on?", seconds, "go on?", seconds, "kill", None]
    assert found is None  # it made nothing


def test_whoever_must_stop_takes_the_process_along(save: Save):
    sleeping = [sys.executable, "-S", "-c", "import time; time.sleep(20)"]
    with subprocess.Popen(sleeping) as process:
        with pytest.raises(ZeroDivisionError):
            save(process, lambda: 1 / 0)
        assert process.returncode == -9
