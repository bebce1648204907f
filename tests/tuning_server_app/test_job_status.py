"""One method changes a job's status; of two processes only one wins."""

import pytest

from tests.tuning_server_app.factories import make_job
from tuning_server_app.models import (
    FINISHED,
    IllegalTransition,
    JobStatus,
    TuningJob,
)

pytestmark = pytest.mark.django_db


def test_of_two_copies_of_a_job_only_one_moves():
    job = make_job(status=JobStatus.QUEUED)
    copy = TuningJob.objects.get(pk=job.pk)

    assert job.move_to(JobStatus.RUNNING, "first")
    assert not copy.move_to(JobStatus.RUNNING, "second")
    assert [event.message for event in job.events.all()] == ["first"]


def test_a_job_under_another_claim_does_not_move():
    job = make_job(status=JobStatus.RUNNING, claim="0" * 32)
    stale = TuningJob.objects.get(pk=job.pk)
    TuningJob.objects.update(claim="1" * 32)

    assert not stale.move_to(JobStatus.SUCCEEDED, "done")


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_an_ended_job_stays_ended(status: JobStatus):
    with pytest.raises(IllegalTransition):
        make_job(status=status).move_to(JobStatus.QUEUED, "again")


def test_a_job_that_ends_has_an_end():
    job = make_job(status=JobStatus.QUEUED)
    job.move_to(JobStatus.FAILED, "broken")
    assert job.finished_at is not None
