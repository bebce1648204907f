"""The state of a run on disk, from which it goes on after a pause, a crash, a kill."""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from tuning_server_app.run_files import STATES, newest_state, step_folder, step_of
from tuning_server_app.training.durable import whole_folder

PROGRESS = "progress.json"
# Within an epoch; at its end the state is saved anyway.
SAVE_SECONDS = 60
# At most a twentieth of the time goes into saving.
SECONDS_PER_SECOND_SAVING = 20


@dataclass(frozen=True)
class Progress:
    """What a run knows besides its weights: its seconds of training so far, and how
    many tokens fitted in memory at once."""

    step: int = 0
    seconds: float = 0.0
    tokens_at_once: int | None = None


class SavedStates:
    """Keeps the newest state; an older one is deleted only when that is whole."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def is_due(self, *, is_epoch_end: bool) -> bool:
        """Whether a kill from now on would cost more than saving does."""
        seconds = time.monotonic() - self._saved_at
        return seconds > self._save_seconds * SECONDS_PER_SECOND_SAVING and (
            is_epoch_end or seconds > SAVE_SECONDS
        )

    def save(self, progress: Progress, write: Callable[[Path], None]) -> None:
        """Have `write` fill the folder of a new state.

        Raises:
            RunFailed: there is no room for it.
        """
        began = time.monotonic()
        newest = self._run / STATES / step_folder(progress.step)
        with whole_folder(newest) as folder:
            write(folder)
            (folder / PROGRESS).write_bytes(orjson.dumps(asdict(progress)))
        for older in newest.parent.glob("step-*"):
            if step_of(older) < progress.step:
                shutil.rmtree(older)
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began


def find_state(run: Path) -> tuple[Path | None, Progress]:
    """The state that the run goes on from, if there is one."""
    folder = newest_state(run)
    if folder is None:
        return None, Progress()
    return folder, Progress(**orjson.loads((folder / PROGRESS).read_bytes()))
