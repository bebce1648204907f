"""What a terminal shows of a job while it goes on."""

from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import follow, services
from jobs_app.follow import Follower
from jobs_app.models import EventType, FineTuningJob, JobStatus
from tests.factories import make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def follower(request):
    """Of a running job; its bar is closed in the end, as `wait` does."""
    made = Follower(make_job(status=JobStatus.RUNNING), StringIO())
    yield made
    if made.bar is not None:
        made.bar.close()


def step(job: FineTuningJob, number: Any, **data: Any) -> None:
    told = {"step": number, "total_steps": 12, **data}
    job.events.create(type=EventType.METRICS, message=f"Step {number}", data=told)


def said(follower: Follower) -> str:
    return follower.out.getvalue()


def test_each_event_is_told_once(follower):
    follower.job.events.create(message="It was queued")

    follower.show()
    follower.show()

    assert said(follower).count("It was queued") == 1


def test_steps_are_in_the_bar_and_not_among_the_lines(follower):
    step(follower.job, 3)

    follower.show()

    assert "Step 3" not in said(follower)


@pytest.mark.parametrize("number", [None, "3"])
def test_a_step_without_a_number_makes_no_bar(follower, number):
    step(follower.job, number)

    follower.show()

    assert follower.bar is None


def test_a_message_with_numbers_is_no_step(follower):
    follower.job.events.create(message="Note", data={"step": 3, "total_steps": 12})

    follower.show()

    assert follower.bar is None


def test_a_line_clears_the_bar_first(follower, monkeypatch):
    step(follower.job, 3)
    follower.show()
    cleared: list[str] = []
    monkeypatch.setattr(follower.bar, "clear", lambda: cleared.append("bar"))

    follower.say("A line")

    assert cleared == ["bar"]


@pytest.mark.parametrize(
    ("is_terminal", "steps", "n_drawn"),
    [(False, (3, 3), 1), (False, (3, 4), 2), (True, (3, 3), 2)],
)
def test_a_log_file_gets_a_line_only_when_something_moved(
    follower, monkeypatch, is_terminal, steps, n_drawn
):
    drawn: list[int] = []
    monkeypatch.setattr(follow.tqdm, "refresh", lambda self, **_: drawn.append(self.n))
    monkeypatch.setattr(follow.sys.stderr, "isatty", lambda: is_terminal)

    for number in steps:
        step(follower.job, number)
        follower.show_metrics()

    assert drawn[-n_drawn:] == list(steps[-n_drawn:])
    assert len([n for n in drawn if n]) == n_drawn


def test_a_problem_that_is_over_is_no_line(follower):
    follower.job.poll_problem = "The server is full."
    follower.job.next_poll_at = now() + timedelta(minutes=1)
    follower.show_problem()
    follower.job.poll_problem = ""

    follower.show_problem()

    assert said(follower) == "  The server is full."


def silent(monkeypatch, *advice: str) -> None:
    pulses = [SimpleNamespace(advice=each) for each in advice]
    monkeypatch.setattr(services, "silent_processes", lambda: pulses)


def test_silence_is_told_once(follower, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0)
    silent(monkeypatch, "Start a worker.")

    follower.show()
    follower.show()

    assert said(follower).count("Nobody is working on this. Start a worker.") == 1


def test_where_all_work_nothing_is_said_of_silence(follower, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0)
    follower.advice = "Start a worker."
    silent(monkeypatch)

    follower.show()

    assert said(follower) == ""


def test_workers_that_start_have_some_seconds(follower, monkeypatch):
    silent(monkeypatch, "Start a worker.")

    follower.show()

    assert said(follower) == ""


def test_a_job_that_is_over_is_not_complained_of(follower, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0)
    silent(monkeypatch, "Start a worker.")
    follower.job.status = JobStatus.FAILED

    follower.show()

    assert said(follower) == ""


def test_the_wait_ends_with_the_job_and_closes_the_bar(follower, monkeypatch):
    step(follower.job, 3)

    looks = iter(range(3))

    def end(_seconds: float) -> None:
        next(looks)  # after the third the test fails instead of going on for ever
        FineTuningJob.objects.update(status=JobStatus.SUCCEEDED)

    monkeypatch.setattr(follow.time, "sleep", end)

    follower.wait()

    assert follower.job.status == JobStatus.SUCCEEDED
    assert follower.bar.disable  # tqdm's word for closed
