"""How long the rest of a run will take."""

from dataclasses import dataclass


@dataclass
class Pace:
    """Seconds so far, by kind: an estimate from their mean would jump at each end of an
    epoch, where a full validation and saving come on top."""

    steps_seconds: float = 0.0
    n_steps: int = 0
    ends_seconds: float = 0.0
    n_ends: int = 0

    def step_took(self, seconds: float) -> None:
        self.steps_seconds += seconds
        self.n_steps += 1

    def end_of_epoch_took(self, seconds: float) -> None:
        self.ends_seconds += seconds
        self.n_ends += 1

    def seconds_left(self, n_steps: int, n_ends: int) -> float:
        """For so many steps, and ends of epochs, to come."""
        return n_steps * _mean(self.steps_seconds, self.n_steps) + n_ends * _mean(
            self.ends_seconds, self.n_ends
        )


def _mean(seconds: float, n: int) -> float:
    return seconds / n if n else 0.0
