"""Watch one job from a terminal: what happens to it, its progress and its loss."""

import sys
import time
from typing import Any

from tqdm import tqdm

from jobs_app import services
from jobs_app.models import OVER, EventType, FineTuningJob

LOOK_EVERY_SECONDS = 1.0
# Workers that have just been started need this long to show themselves.
PATIENCE_SECONDS = 15.0


class Follower:
    """Reads the database only, so it outlives slow workers and restarted ones."""

    def __init__(self, job: FineTuningJob, out: Any) -> None:
        self.job = job
        self.out = out
        self.started_at = time.monotonic()
        self.last_event = 0
        self.advice = ""
        self.problem = ""
        self.bar: tqdm[Any] | None = None

    def wait(self) -> None:
        """Return once the job is finished; it is then fresh from the database."""
        try:
            while True:
                self.job.refresh_from_db()
                self.show()
                if self.job.status in OVER:
                    return
                time.sleep(LOOK_EVERY_SECONDS)
        finally:
            if self.bar is not None:
                self.bar.close()

    def show(self) -> None:
        self.show_story()
        self.show_metrics()
        if self.job.status not in OVER:
            self.show_problem()
            self.show_silence()

    def say(self, text: str) -> None:
        """A line above the bar, not through it."""
        if self.bar is not None:
            self.bar.clear()
        self.out.write(text)

    def show_story(self) -> None:
        new = self.job.events.filter(pk__gt=self.last_event).order_by("pk")
        for event in new.exclude(type=EventType.METRICS):
            self.say(f"  {event.message}")
            self.last_event = event.pk

    def show_metrics(self) -> None:
        newest = self.job.events.filter(type=EventType.METRICS).order_by("-pk").first()
        if newest is None or not isinstance(newest.data.get("step"), int):
            return
        data = newest.data
        if self.bar is None:
            self.bar = tqdm(
                total=data.get("total_steps"),
                desc="training",
                unit="step",
                file=sys.stderr,
                dynamic_ncols=True,
            )
        losses = {"loss": data.get("train_loss"), "valid": data.get("valid_loss")}
        shown = {
            k: f"{v:.3f}" for k, v in losses.items() if isinstance(v, (int, float))
        }
        has_moved = self.bar.n != data["step"]
        self.bar.set_postfix(shown, refresh=False)
        self.bar.n = data["step"]
        if has_moved or sys.stderr.isatty():  # a log file wants no line a second
            self.bar.refresh()

    def show_problem(self) -> None:
        if self.job.poll_problem and self.job.poll_problem != self.problem:
            self.say(f"  {self.job.poll_problem}")
        self.problem = self.job.poll_problem

    def show_silence(self) -> None:
        if time.monotonic() - self.started_at < PATIENCE_SECONDS:
            return
        advice = " ".join(pulse.advice for pulse in services.silent_processes())
        if advice and advice != self.advice:
            self.say(f"  Nobody is working on this. {advice}")
        self.advice = advice
