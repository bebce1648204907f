"""Bytes on the disk: there when they are said to be, and gone when they are not."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tuning_server_app import file_store, merge_process
from tuning_server_app.archives import Archive
from tuning_server_app.file_store import Draft

NO_SPACE = OSError(28, "No space left on device")


def fail(*_arguments: object, **_options: object) -> None:
    raise NO_SPACE


def draft_of(content: bytes = b"some bytes") -> Draft:
    draft = Draft()
    draft.write(content)
    return draft


def stored() -> list[Path]:
    return list(file_store.folder().iterdir())


def test_what_is_kept_was_on_the_disk_before(monkeypatch: pytest.MonkeyPatch):
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    draft = draft_of()
    draft.keep()
    assert synced == [draft.n_bytes]


def test_what_cannot_be_kept_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        draft_of().keep()
    assert stored() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_draft_that_cannot_even_be_closed_is_discarded(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    draft = Draft()
    draft._file.close()
    full = Path("/dev/full").open("wb")  # noqa: SIM115  (closed by the draft)
    monkeypatch.setattr(draft, "_file", full)
    draft.write(b"a")  # into the buffer
    draft.discard()
    assert stored() == []
    assert "Closing" in caplog.text


def test_bytes_that_cannot_be_deleted_are_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    draft = draft_of()
    draft.keep()
    monkeypatch.setattr(Path, "unlink", fail)
    file_store.remove(draft.blob)
    assert f"{draft.blob} could not be deleted" in caplog.text


def test_an_archive_that_failed_is_written_no_further():
    draft = Draft()
    archive = Archive(draft, "folder")
    archive.add_bytes("name", b"content")
    archive.__exit__(ZeroDivisionError)
    assert draft.n_bytes == 0
    draft.discard()


class Merging:
    """A process that obeys, or does not."""

    def __init__(self, *, obeys: bool) -> None:
        self.calls: list[str] = []
        self._obeys = obeys

    def terminate(self) -> None:
        self.calls.append("terminate")

    def wait(self, seconds: float | None = None) -> None:
        self.calls.append(f"wait {seconds}")
        if seconds is not None and not self._obeys:
            raise subprocess.TimeoutExpired("merge", seconds)

    def kill(self) -> None:
        self.calls.append("kill")


@pytest.mark.parametrize(
    ("obeys", "more"), [(True, []), (False, ["kill", "wait None"])]
)
def test_a_merge_is_asked_to_stop_before_it_is_killed(obeys: bool, more: list[str]):
    process: Any = Merging(obeys=obeys)
    merge_process._stop(process)
    seconds = merge_process.STOP_SECONDS
    assert process.calls == ["terminate", f"wait {seconds}", *more]


def test_how_a_merge_crashed_is_in_the_log(caplog: Any):
    merge_process._reason(b"", -9, Path("7.log"))
    assert "Merging ended with -9. See 7.log" in caplog.text
