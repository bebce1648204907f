"""What befalls a job between two steps of its submission."""

from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import Approval, FineTuningJob, JobStatus, ProviderPace
from jobs_app.providers import ProviderClient, ProviderRejected
from jobs_app.services import claiming, pace, submitting
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_provider,
    make_user,
    make_version,
)

CREATE = ("POST", "/v1/fine_tuning/jobs")
pytestmark = pytest.mark.django_db


@pytest.fixture
def job(provider) -> FineTuningJob:
    return make_job(provider=provider, status=JobStatus.PENDING)


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def test_an_answer_with_another_jobs_id_is_for_a_person_to_judge(job, fake):
    other = make_job(provider=job.provider, status="running", remote_id="ftjob-other")
    fake.answers(*CREATE, 200, {"id": "ftjob-other", "status": "queued"})

    submit(job)

    assert (job.status, job.remote_id) == (JobStatus.UNSURE, "")
    assert "the id of another job of ours" in job.poll_problem
    assert job.create_sent_at is not None
    other.refresh_from_db()
    assert other.remote_id == "ftjob-other"


def test_a_provider_that_does_not_let_us_look_is_sent_nothing(job, fake):
    fake.refuses("GET", "/v1/fine_tuning/jobs", 403, "you may not look")

    assert submit(job).status == JobStatus.FAILED
    assert "you may not look" in job.error["message"]
    assert fake.files == {}


def test_a_job_cancelled_in_the_last_moment_is_not_announced(job, fake, monkeypatch):
    def cancel_meanwhile(_provider: Any) -> bool:
        FineTuningJob.objects.filter(pk=job.pk).update(cancel_requested_at=now())
        return True

    monkeypatch.setattr(submitting, "keeps_metadata", cancel_meanwhile)

    assert submit(job).create_sent_at is None
    assert not fake.sent(*CREATE)


def test_who_cancelled_it_stands_in_the_story(job, fake, monkeypatch):
    mina = make_user()
    monkeypatch.setattr(
        submitting,
        "wait_until_processed",
        lambda *_: services.cancel_job(FineTuningJob.objects.get(), by=mina),
    )

    assert submit(job).status == JobStatus.CANCELLED
    assert job.events.latest("pk").created_by == mina


def test_a_refusal_that_comes_too_late_takes_nothing_back(job, fake, monkeypatch):
    """Whoever has the job by now may have sent it again."""

    def refuse_late(_client: ProviderClient, **_asked: Any) -> None:
        FineTuningJob.objects.filter(pk=job.pk).update(status_changed_at=now())
        raise ProviderRejected("no")

    monkeypatch.setattr(ProviderClient, "create_job", refuse_late)

    submit(job)

    assert (job.status, job.create_sent_at is None) == (JobStatus.SUBMITTING, False)


def test_a_job_that_somebody_took_meanwhile_is_not_told_to_wait(job):
    pace.reserve_all(job.provider, 1)
    stale = FineTuningJob.objects.get(pk=job.pk)
    other = make_job(provider=job.provider, status=JobStatus.PENDING)
    assert claiming.claim(job)

    submitting._leave_alone(stale)

    told = FineTuningJob.objects.exclude(poll_problem="")
    assert not told.exists()
    submitting._leave_alone(other)
    assert told.get() == other


def test_a_launch_without_its_approval_costs_no_requests(job):
    Approval.objects.create(
        job=job, reasons=[], terms={}, decided_at=now(), is_approved=True
    )

    assert submit(job).status == JobStatus.AWAITING_APPROVAL
    assert ProviderPace.objects.get(provider=job.provider).n_requests == 0


def test_a_validation_file_goes_only_where_one_is_taken(provider, fake):
    provider.abilities = {"validation_file": False}
    provider.save()
    dataset = make_dataset(team=provider.team)
    version = make_version(dataset=dataset, validation=chat_lines(2))
    pending = {"provider": provider, "status": JobStatus.PENDING}

    submit(make_job(dataset_version=version, **pending))

    [created] = fake.sent(*CREATE)
    assert "validation_file" not in created.json
    assert len(fake.files) == 1


def test_a_team_may_have_several_providers(job):
    make_provider(team=job.team)
    make_provider()

    assert submit(job).status == JobStatus.QUEUED
