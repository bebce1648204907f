"""The tick removes what killed processes left on the disk, and nothing else."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.tuning_server_app.factories import make_file, make_job
from tuning_server_app import tasks
from tuning_server_app.file_store import Draft
from tuning_server_app.models import JobStatus
from tuning_server_app.run_files import TRAINING_FILE
from tuning_server_app.services import leftovers, run_folder
from tuning_server_app.services.tuned_models import runs_folder

pytestmark = pytest.mark.django_db
HALF = [
    "exports/7-abc/model-1.safetensors",
    "hub/.ours--tiny-abc/.cache/download/model.incomplete",
    "base/.tiny-abc/model.safetensors",
]
LOG = "exports/7.log"
WHOLE = [
    "hub/ours--tiny/model.safetensors",
    "base/tiny/model.safetensors",
    "base/tiny.lock",
    "runs/ftjob-1/attempt-1/checkpoints/step-1/adapter_model.safetensors",
    "devices/here-all",
]


@pytest.fixture
def root(settings: Any) -> Path:
    return Path(settings.TUNING_SERVER_DIR)


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"bytes")
    return path


def age(root: Path, *, days: float) -> None:
    """As if nothing there had been written for so long."""
    for path in (root, *root.rglob("*")):
        moment = path.stat().st_mtime - days * leftovers.DAY
        os.utime(path, (moment, moment))


def names(root: Path) -> list[str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in files)


def test_what_a_killed_process_was_writing_makes_room_after_a_day(root: Path):
    for name in HALF:
        write(root / name)
    draft = Draft()
    age(root, days=1.1)
    tasks.drive_training()
    assert names(root) == []
    assert [*(root / "hub").iterdir(), *(root / "exports").iterdir()] == []
    draft.discard()


@pytest.mark.parametrize("name", HALF)
def test_what_is_being_written_stays(root: Path, name: str):
    write(root / name)
    age(root, days=1.1)
    os.utime(root / name)  # its folder looks old
    leftovers.remove_leftovers()
    assert names(root) == [name]


def test_the_log_of_a_merge_is_there_for_a_week(root: Path):
    write(root / LOG)
    age(root, days=6.9)
    leftovers.remove_leftovers()
    assert names(root) == [LOG]
    age(root, days=0.2)
    leftovers.remove_leftovers()
    assert names(root) == []


def test_what_is_whole_stays(root: Path):
    for name in WHOLE:
        write(root / name)
    blob = f"files/{make_file().blob}"
    age(root, days=999)
    leftovers.remove_leftovers()
    assert names(root) == sorted([*WHOLE, blob])


def test_a_killed_trainers_copy_of_the_rows_goes_with_its_job():
    ended = make_job(status="running", attempts=1)
    rows = write(runs_folder() / ended.wire_id / "attempt-1" / TRAINING_FILE)
    run_folder.clear_ended_runs()
    assert rows.exists()
    ended.move_to(JobStatus.FAILED, "lost")
    run_folder.clear_ended_runs()
    assert not rows.exists()
