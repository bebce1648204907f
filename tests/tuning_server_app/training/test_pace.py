"""How long a run still takes, and when its state is worth saving."""

from pathlib import Path
from typing import Any

import pytest

from tuning_server_app.training import states
from tuning_server_app.training.pace import Pace
from tuning_server_app.training.states import Progress, SavedStates


def test_after_one_epoch_an_even_run_is_estimated_to_the_second():
    pace = Pace()
    for _ in range(5):
        pace.step_took(2)
    pace.end_of_epoch_took(30)

    assert pace.seconds_left(n_steps=15, n_ends=3) == 15 * 2 + 3 * 30


def test_before_the_first_end_of_an_epoch_the_steps_are_estimated():
    pace = Pace()
    pace.step_took(2)

    assert pace.seconds_left(n_steps=9, n_ends=2) == 18


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(states, "time", clock)
    return clock


@pytest.fixture
def saved(tmp_path: Path, clock: Clock) -> SavedStates:
    """One whose first saving took two seconds."""

    def slow(_folder: Any) -> None:
        clock.now += 2

    saved = SavedStates(tmp_path)
    saved.save(Progress(step=1), slow)
    return saved


def test_saving_takes_a_twentieth_of_the_time_at_most(saved: SavedStates, clock: Clock):
    clock.now += 39
    assert not saved.is_due(is_epoch_end=True)
    clock.now += 2
    assert saved.is_due(is_epoch_end=True)


def test_within_an_epoch_a_minute_may_be_lost(saved: SavedStates, clock: Clock):
    clock.now += 59
    assert not saved.is_due(is_epoch_end=False)
    clock.now += 2
    assert saved.is_due(is_epoch_end=False)
