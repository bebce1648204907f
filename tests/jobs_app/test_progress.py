"""How far a job has come, in figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app.models import EventType, FineTuningJob, JobStatus
from jobs_app.progress import duration_of, latest_metrics, progress_of
from tests.factories import make_job

pytestmark = pytest.mark.django_db


def report(job: FineTuningJob, step: int) -> None:
    job.events.create(type=EventType.METRICS, message="Step", data={"step": step})


@pytest.mark.parametrize(
    ("metrics", "percent"),
    [
        ({"step": 3, "total_steps": 12}, 25),
        ({"step": 13, "total_steps": 12}, 100),
        ({"step": 3}, 0),
    ],
)
def test_a_share_is_never_above_a_hundred(metrics, percent):
    progress = progress_of(make_job(), metrics)

    assert progress is not None
    assert progress.percent == percent


@pytest.mark.parametrize(
    "metrics", [None, "odd", {}, {"step": "3"}, {"step": 0}, {"step": -1}]
)
def test_without_a_step_there_is_no_progress(metrics):
    assert progress_of(make_job(), metrics) is None


def test_each_open_jobs_newest_report_is_found():
    first, second = (make_job(status=JobStatus.RUNNING) for _ in range(2))
    over = make_job(status=JobStatus.SUCCEEDED)
    for job, step in ((first, 1), (first, 2), (second, 7), (over, 9)):
        report(job, step)
    first.events.create(message="No numbers", data={"step": 99})

    told = latest_metrics([first, second, over])

    assert told == {first.pk: {"step": 2}, second.pk: {"step": 7}}


def test_jobs_that_were_not_asked_for_are_not_told_of():
    asked, other = (make_job(status=JobStatus.RUNNING) for _ in range(2))
    report(other, 3)

    assert latest_metrics([asked]) == {}


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"launched_at": -90, "finished_at": -30}, 60),
        ({"launched_at": -90, "scheduled_for": -50, "finished_at": -30}, 20),
        ({"launched_at": -90, "scheduled_for": -99, "finished_at": -30}, 60),
        ({"launched_at": -90, "scheduled_for": 60}, None),
        ({"finished_at": -30}, None),
        ({"launched_at": -90, "status": JobStatus.FAILED}, None),
    ],
)
def test_a_job_lasts_from_when_it_was_to_begin(fields, seconds):
    moment = now()
    times: dict[str, Any] = {
        name: moment + timedelta(seconds=value) if isinstance(value, int) else value
        for name, value in fields.items()
    }

    found = duration_of(make_job(**{"status": JobStatus.RUNNING, **times}))

    assert found == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "is_left"), [(None, False), (-9, False), (90, True)]
)
def test_time_is_left_only_until_the_estimated_end(seconds, is_left):
    end = None if seconds is None else now() + timedelta(seconds=seconds)
    job = make_job(status=JobStatus.RUNNING, estimated_finish_at=end)

    progress = progress_of(job, {"step": 3})

    assert progress is not None
    assert (progress.remaining is not None) == is_left


def test_an_open_job_lasts_until_now():
    begun = now() - timedelta(seconds=90)

    found = duration_of(make_job(status=JobStatus.RUNNING, launched_at=begun))

    assert found is not None
    assert found >= timedelta(seconds=90)
