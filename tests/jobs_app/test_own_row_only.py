"""An act changes the row it is about, only while it may, and only the first time."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, LeftoverFile, RemoteFile
from jobs_app.services import launching, leftovers
from tests.factories import make_job, make_provider, make_user, make_version

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=3)


def two(**fields: Any) -> tuple[FineTuningJob, FineTuningJob]:
    """Alike in all but their keys."""
    moment = now()
    same = {"status_changed_at": moment, "next_poll_at": moment, **fields}
    return make_job(**same), make_job(**same)


def stored(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_a_move_moves_one_job():
    job, other = two(status=JobStatus.PENDING)

    assert job.move_to(JobStatus.SUBMITTING)
    assert stored(other).status == JobStatus.PENDING


def test_a_due_time_is_claimed_for_one_job():
    jobs = two(status=JobStatus.PENDING)

    assert services.claim_due_submissions() == [job.pk for job in jobs]


def test_another_time_is_for_one_job():
    job, other = two(status=JobStatus.PENDING, scheduled_for=now() + LATER)

    services.reschedule_job(job, None, by=None)

    assert stored(other).is_for_later


def test_a_wish_to_cancel_is_of_one_job_and_of_who_wished_first():
    job, other = two(status=JobStatus.SUBMITTING)
    first = make_user()

    services.cancel_job(job, by=first)
    services.cancel_job(job, by=make_user())

    assert stored(job).cancel_requested_by == first
    assert job.events.count() == 1
    assert stored(other).cancel_requested_at is None


def test_a_job_that_a_worker_takes_in_this_moment_is_cancelled_by_that_worker():
    job = make_job(status=JobStatus.PENDING)
    stale = stored(job)
    assert job.move_to(JobStatus.SUBMITTING)

    services.cancel_job(stale, by=None)

    assert stored(job).status == JobStatus.SUBMITTING
    assert stored(job).cancel_requested_at is not None


def test_a_draft_is_changed_alone_and_only_while_it_is_one():
    job, other = two(status=JobStatus.DRAFT)

    assert services.change_draft(job, suffix="mine")
    assert stored(other).suffix == ""
    job.move_to(JobStatus.PENDING)
    assert not services.change_draft(job, suffix="late")
    assert stored(job).suffix == "mine"


def test_a_deployment_is_named_for_one_job():
    job, other = two()

    services.name_deployment(job, "mine")

    assert stored(other).deployment == ""


def test_a_draft_that_is_launched_while_it_is_asked_for_again_stays(monkeypatch):
    known = make_job(launch_key=uuid4())

    def launched_meanwhile(_job: FineTuningJob) -> None:
        FineTuningJob.objects.update(status=JobStatus.PENDING)

    monkeypatch.setattr(launching, "check_fits", launched_meanwhile)
    same: dict[str, Any] = {"dataset_version": known.dataset_version}
    again = services.create_job(
        provider=known.provider,
        base_model="another",
        launch_key=known.launch_key,
        hyperparameters={},
        by=None,
        **same,
    )

    assert (again.pk, again.status) == (known.pk, JobStatus.PENDING)
    assert again.base_model == stored(known).base_model == "base-model"


def test_a_draft_that_was_changed_since_it_was_judged_is_not_launched(monkeypatch):
    job = make_job()

    def changed_meanwhile(_job: FineTuningJob) -> None:
        FineTuningJob.objects.update(base_model="another")

    monkeypatch.setattr(launching, "check_fits", changed_meanwhile)

    with pytest.raises(ValidationError, match="changed this draft"):
        services.launch_job(job, by=None)
    assert stored(job).status == JobStatus.DRAFT


@pytest.mark.parametrize("days", [-1, 400])
def test_a_job_is_not_made_for_a_time_that_cannot_be(days):
    version = make_version()
    asked: dict[str, Any] = {"base_model": "base-model", "hyperparameters": {}}

    with pytest.raises(ValidationError, match="time is past|year away"):
        services.create_job(
            provider=make_provider(team=version.dataset.team),
            dataset_version=version,
            scheduled_for=now() + timedelta(days=days),
            by=None,
            **asked,
        )


# Files that nobody needs -------------------------------------------------------


def leftover(**fields: Any) -> LeftoverFile:
    provider = fields.pop("provider", None) or make_provider()
    given = {"remote_id": "file-1", "name": "a.jsonl", "seen_at": now()}
    return LeftoverFile.objects.create(**{"provider": provider, **given, **fields})


def sent(**fields: Any) -> RemoteFile:
    fields = {"dataset_version": make_version(), "remote_id": "file-1", **fields}
    return RemoteFile.objects.create(split="train", **fields)


def test_only_what_was_chosen_is_deleted():
    chosen, other = leftover(), leftover()

    services.request_deletion(LeftoverFile.objects.filter(pk=chosen.pk), by=None)

    assert stored(other).delete_requested_at is None


def test_a_provider_deletes_its_own_files_only(faulty, faulty_provider):
    theirs = leftover(delete_requested_at=now())
    mine = leftover(provider=faulty_provider, delete_requested_at=now())

    services.delete_leftovers(faulty_provider)

    assert list(LeftoverFile.objects.all()) == [theirs]
    assert faulty.count("delete_file") == 1
    assert mine.pk


def test_looking_at_one_provider_clears_the_list_of_no_other(faulty_provider):
    theirs = leftover()

    services.look_for_leftovers(faulty_provider)

    assert list(LeftoverFile.objects.all()) == [theirs]


def test_a_job_of_another_team_with_the_same_account_needs_a_file_too():
    mine = make_provider()
    theirs = make_provider(base_url=mine.base_url)
    file = sent(provider=theirs)
    job = make_job(
        provider=theirs, dataset_version=file.dataset_version, status="running"
    )

    assert not leftovers._give_up(mine, leftover(provider=mine))
    FineTuningJob.objects.filter(pk=job.pk).update(status=JobStatus.SUCCEEDED)
    assert leftovers._give_up(mine, leftover(provider=mine, remote_id="file-1 "))


def test_a_job_elsewhere_needs_no_file_here():
    file = sent(provider=make_provider())
    elsewhere = make_provider(base_url="https://elsewhere.example/v1")
    version = file.dataset_version
    make_job(provider=elsewhere, dataset_version=version, status="running")

    assert leftovers._give_up(file.provider, leftover(provider=file.provider))
    assert not RemoteFile.objects.exists()


def test_giving_up_one_file_forgets_no_other():
    provider = make_provider()
    other = sent(provider=provider, remote_id="file-2")
    far = sent(provider=make_provider(base_url="https://elsewhere.example/v1"))

    assert leftovers._give_up(provider, leftover(provider=provider))
    assert list(RemoteFile.objects.order_by("pk")) == [other, far]


@pytest.mark.parametrize(
    "name",
    [
        "x-dataset-v1-train-0123456789abcdef.jsonl",
        "dataset-v1-train-0123456789abcdef.jsonl.bak",
        "dataset-v1-other-0123456789abcdef.jsonl",
    ],
)
def test_only_a_whole_name_of_ours_is_ours(name, faulty, faulty_provider):
    faulty.add_file(name, b"{}")

    assert services.look_for_leftovers(faulty_provider) == 0


def test_an_id_is_taken_by_the_same_id_at_the_same_provider_only():
    job = make_job(status=JobStatus.UNSURE, create_sent_at=now())
    there = {"status": JobStatus.RUNNING, "remote_id": "ftjob-1"}
    make_job(provider=make_provider(base_url="https://elsewhere.example/v1"), **there)
    make_job(provider=job.provider, **{**there, "remote_id": "ftjob-2"})

    services.take_as_ours(job, "ftjob-1", by=None)

    assert job.remote_id == "ftjob-1"
