"""A file is on the disk as a whole under its name, or not at all."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tuning_server_app import file_store
from tuning_server_app.file_store import Draft


def fail(*_arguments: object, **_more: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def stored() -> list[str]:
    return [path.name for path in file_store.folder().iterdir()]


@pytest.fixture
def draft() -> Draft:
    draft = Draft()
    draft.write(b"chats")
    return draft


def test_a_file_has_its_name_only_when_its_bytes_are_on_the_disk(
    draft: Draft, monkeypatch: pytest.MonkeyPatch
):
    on_disk: list[tuple[bytes, list[str]]] = []

    def look(number: int) -> None:
        assert number == draft._file.fileno()
        on_disk.append((draft._path.read_bytes(), stored()))

    monkeypatch.setattr(os, "fsync", look)
    draft.keep()
    assert on_disk == [(b"chats", [f"{draft.blob}.part"])]
    assert stored() == [draft.blob]


@pytest.mark.parametrize(
    "place", [(os, "fsync"), (Path, "rename")], ids=["bytes", "name"]
)
def test_a_file_that_cannot_be_kept_leaves_nothing(
    draft: Draft, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]
):
    monkeypatch.setattr(*place, fail)
    with pytest.raises(OSError, match="No space left"):
        draft.keep()
    assert stored() == []


class FullDisk:
    """A file whose last bytes find no room, neither now nor when it is closed."""

    write = close = staticmethod(fail)


def test_what_finds_no_room_as_it_is_written_leaves_nothing(
    draft: Draft, caplog: pytest.LogCaptureFixture
):
    draft._file.close()
    draft._file = FullDisk()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        draft.write(b"more")
    assert stored() == []
    assert f"Closing {draft._path} failed" in caplog.text


def test_bytes_that_cannot_be_deleted_are_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(Path, "unlink", fail)
    file_store.remove("blob")
    assert f"{file_store.path_of('blob')} could not be deleted" in caplog.text


def test_bytes_that_are_gone_already_are_no_failure(caplog: pytest.LogCaptureFixture):
    file_store.remove("blob")
    assert caplog.text == ""
