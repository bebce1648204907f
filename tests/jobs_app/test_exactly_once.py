"""Whatever becomes of the answer to its creation, a job is created once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import (
    FineTuningJob,
    IllegalTransition,
    JobStatus,
    ProviderPace,
)
from jobs_app.providers import ProviderUnavailable, connect
from jobs_app.services import recognising
from teams_app.models import Role
from tests.end_to_end.site import free_port
from tests.factories import make_job, make_member, make_provider
from tests.jobs_app.faults import KINDS
from tests.jobs_app.polls import poll

LOST = sorted(kind for kind, (acts_first, _) in KINDS.items() if acts_first)
QUICK = [kind for kind in LOST if kind not in {"accept_then_hang", "odd_content_type"}]


@pytest.fixture
def job(faulty_provider) -> FineTuningJob:
    return make_job(provider=faulty_provider, status=JobStatus.PENDING)


def submit(job: FineTuningJob) -> FineTuningJob:
    services.submit_job(FineTuningJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    return job


def let_pass(job: FineTuningJob, seconds: float = recognising.LOOK_SECONDS) -> None:
    """As if the creation had been sent so much earlier."""
    job.refresh_from_db()
    assert job.create_sent_at is not None
    job.create_sent_at -= timedelta(seconds=seconds)
    job.save(update_fields=["create_sent_at"])


def keep(provider, keeps: bool | None) -> None:
    provider.keeps_metadata = keeps
    provider.save()


@pytest.mark.parametrize("kind", QUICK)
def test_a_job_whose_answer_was_lost_is_found_by_its_launch_key(job, faulty, kind):
    faulty.fails("create_job", kind)

    assert submit(job).status == JobStatus.PENDING
    submit(job)

    assert job.status == JobStatus.QUEUED
    assert list(faulty.jobs) == [job.remote_id]
    assert "launch key" in job.events.order_by("-pk")[1].message


def test_the_right_answer_under_a_wrong_name_is_lost_like_none(job, faulty):
    faulty.fails("create_job", "odd_content_type")

    submit(job)
    submit(job)

    assert list(faulty.jobs) == [job.remote_id]


def test_a_provider_that_answers_too_late_is_asked_what_it_has(
    job, faulty, monkeypatch
):
    monkeypatch.setattr("jobs_app.providers.network.READ_SECONDS", 0.2)
    faulty.fails("create_job", "accept_then_hang", seconds=1)

    assert submit(job).status == JobStatus.PENDING
    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["job"] == 1


def test_an_answer_too_long_to_be_read_is_unclear_and_no_refusal(
    job, faulty, monkeypatch
):
    monkeypatch.setattr("jobs_app.providers.limits.MAX_RESPONSE_BYTES", 1000)
    create = ("POST", "/v1/fine_tuning/jobs")
    faulty.answers(*create, 200, {"id": "x" * 2000}, accept_first=True)

    submit(job)
    monkeypatch.undo()
    submit(job)

    assert list(faulty.jobs) == [job.remote_id]


def test_a_job_is_found_behind_another_that_is_listed_twice(job, faulty):
    keep(job.provider, True)
    faulty.has_metadata_filter, faulty.repeats_items = False, True
    faulty.fails("create_job", "accept_then_drop")
    submit(job)
    faulty.add_job()

    assert submit(job).status == JobStatus.QUEUED
    assert job.remote_id == next(iter(faulty.jobs))


def test_a_job_that_is_not_listed_yet_is_looked_for_again(job, faulty):
    keep(job.provider, True)
    faulty.unlisted_seconds = 60
    faulty.fails("create_job", "accept_then_drop")
    submit(job)

    submit(job)
    let_pass(job, 300)
    submit(job)
    assert (job.status, faulty.created["job"]) == (JobStatus.PENDING, 1)
    assert "looked for" in job.poll_problem
    faulty.unlisted_seconds = 0

    assert submit(job).status == JobStatus.QUEUED
    assert faulty.created["job"] == 1


def test_looks_come_at_growing_distances_and_one_ends_the_window(job, faulty):
    keep(job.provider, True)
    faulty.fails("create_job", "drop")
    submit(job)
    waits = []
    for passed in (10, 90, 480):
        let_pass(job, passed)
        submit(job)
        waits.append(round((job.next_poll_at - now()).total_seconds()))

    assert waits == pytest.approx([10, 100, 20], abs=3)


def test_where_metadata_is_kept_it_is_created_again_after_the_window(job, faulty):
    keep(job.provider, True)
    faulty.fails("create_job", "drop")
    submit(job)
    submit(job)
    assert faulty.count("create_job") == 1
    let_pass(job)

    assert submit(job).status == JobStatus.QUEUED
    assert (faulty.count("create_job"), faulty.created["job"]) == (2, 1)


def test_a_refusal_is_clear_and_the_next_attempt_needs_no_window(job, faulty):
    faulty.fails("create_job", "rate_limit")

    assert submit(job).create_sent_at is None
    ProviderPace.objects.update(blocked_until=None)  # as long as it wanted
    assert submit(job).status == JobStatus.QUEUED


@pytest.mark.django_db
def test_a_provider_that_cannot_be_reached_was_sent_nothing(settings):
    settings.PROVIDER_ALLOWED_HOSTS = [host := f"127.0.0.1:{free_port()}"]
    nobody = make_provider(base_url=f"http://{host}/v1")

    with connect(nobody) as client, pytest.raises(ProviderUnavailable) as caught:
        client.create_job(base_model="m", training_file="f", launch_key=uuid4())

    assert not caught.value.is_unclear


def test_our_own_server_is_asked_again_at_once_with_the_same_key(job, faulty):
    job.provider.kind = "built_in"
    job.provider.save()
    faulty.honours_idempotency_key, faulty.unlisted_seconds = True, 60
    faulty.fails("create_job", "accept_then_drop")
    submit(job)

    assert submit(job).status == JobStatus.QUEUED
    assert (faulty.count("create_job"), faulty.created["job"]) == (2, 1)


# Providers that keep no metadata ----------------------------------------------------


@pytest.fixture
def forgetful(faulty):
    """Keeps no metadata, and lists what it has."""
    faulty.keeps_metadata = False
    return faulty


def test_a_job_without_a_key_is_recognised_by_file_model_and_time(job, forgetful):
    forgetful.fails("create_job", "accept_then_drop")
    submit(job)

    assert submit(job).status == JobStatus.QUEUED
    assert list(forgetful.jobs) == [job.remote_id]
    assert "training file" in job.events.order_by("-pk")[1].message


@pytest.mark.parametrize(
    "odd",
    [
        {"training_file": "file-of-others"},
        {"model": "another-model"},
        {"user_provided_suffix": "theirs"},
        {"created_at": 1_700_000_000},
        {"metadata": {"launch_key": "theirs"}},
    ],
)
def test_a_job_that_differs_is_not_taken_for_ours(job, forgetful, odd):
    forgetful.keeps_metadata = True
    forgetful.fails("create_job", "drop")
    submit(job)
    like_ours = {"model": "base-model", "training_file": job.sent_training_file}
    forgetful.add_job(**{**like_ours, **odd})

    assert submit(job).status == JobStatus.PENDING


def test_the_clocks_may_differ_by_minutes(job, forgetful):
    forgetful.clock_skew_seconds = -400
    forgetful.fails("create_job", "accept_then_drop")
    submit(job)

    assert submit(job).status == JobStatus.QUEUED


def test_a_short_model_name_may_have_become_a_full_one(job, forgetful):
    forgetful.fails("create_job", "accept_then_drop")
    submit(job)
    [theirs] = forgetful.jobs.values()
    theirs["model"] += "-2026-01-01"

    assert submit(job).remote_id == theirs["id"]


def test_another_jobs_run_is_never_taken(job, forgetful):
    submit(job)
    again = make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        status=JobStatus.PENDING,
    )
    forgetful.fails("create_job", "drop")
    submit(again)

    assert submit(again).status == JobStatus.PENDING


def test_of_two_that_look_alike_a_person_chooses(job, forgetful):
    forgetful.fails("create_job", "accept_then_drop")
    submit(job)
    [first] = forgetful.jobs.values()
    twin = forgetful.add_job(**{k: v for k, v in first.items() if k != "id"})

    submit(job)

    assert job.status == JobStatus.UNSURE
    assert {each["id"] for each in job.candidates} == {first["id"], twin["id"]}


def test_a_list_that_tells_no_file_leaves_the_choice_to_a_person(job, forgetful):
    forgetful.fails("create_job", "accept_then_drop")
    submit(job)
    [theirs] = forgetful.jobs.values()
    theirs["training_file"] = None

    assert submit(job).status == JobStatus.UNSURE
    assert [each["id"] for each in job.candidates] == [theirs["id"]]


def test_where_no_key_is_kept_nothing_is_created_twice_by_itself(job, forgetful):
    forgetful.fails("create_job", "drop")
    submit(job)
    let_pass(job)

    submit(job)

    assert job.status == JobStatus.UNSURE
    assert job.candidates == []
    assert "Nothing that it lists" in job.poll_problem
    assert services.claim_due_submissions() == []


def test_a_provider_that_refuses_to_list_leaves_the_choice_to_a_person(job, faulty):
    faulty.fails("create_job", "accept_then_drop")
    submit(job)
    faulty.refuses("GET", "/v1/fine_tuning/jobs", 401, "wrong key", "invalid_api_key")

    submit(job)

    assert job.status == JobStatus.UNSURE
    assert "wrong key" in job.poll_problem


def test_a_provider_without_a_list_can_still_be_asked_for_a_job(job, faulty):
    faulty.refuses("GET", "/v1/fine_tuning/jobs", 404, "no such route")

    assert submit(job).status == JobStatus.QUEUED


def test_what_its_list_shows_of_our_jobs_tells_whether_it_keeps_keys(job, faulty):
    older = make_job(provider=job.provider, status=JobStatus.PENDING)
    submit(older)
    faulty.fails("create_job", "drop")
    submit(job)
    submit(job)

    job.provider.refresh_from_db()
    assert job.provider.keeps_metadata is True


def test_a_job_waits_while_its_twin_is_unclear(job, forgetful):
    forgetful.fails("create_job", "drop")
    submit(job)
    twin = make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        status=JobStatus.PENDING,
    )

    submit(twin)

    assert (twin.status, twin.create_sent_at) == (JobStatus.PENDING, None)
    assert f"Job {job.pk} trains on the same version" in twin.poll_problem
    assert forgetful.count("create_job") == 1


# Cancelling, and deciding ---------------------------------------------------------


def test_a_job_that_may_run_is_not_cancelled_unseen(job, faulty):
    faulty.fails("create_job", "accept_then_drop")
    submit(job)

    services.cancel_job(job, by=None)
    submit(job)
    poll(job)

    assert [each["status"] for each in faulty.jobs.values()] == ["cancelled"]
    assert job.status == JobStatus.CANCELLED


@pytest.fixture
def unsure(job, forgetful) -> FineTuningJob:
    forgetful.fails("create_job", "drop")
    submit(job)
    let_pass(job)
    return submit(job)


@pytest.fixture
def person(unsure):
    return make_member(Role.LAUNCHER, unsure.team)


def test_this_is_it_makes_the_job_follow_it(unsure, forgetful, person):
    theirs = forgetful.add_job(status="running")

    services.take_as_ours(unsure, theirs["id"], by=person)
    poll(unsure)

    assert (unsure.status, unsure.remote_id) == (JobStatus.RUNNING, theirs["id"])


def test_another_jobs_run_cannot_be_chosen(unsure, person):
    make_job(provider=unsure.provider, remote_id="ftjob-9", status=JobStatus.RUNNING)

    with pytest.raises(ValidationError, match="ftjob-9 is the job"):
        services.take_as_ours(unsure, "ftjob-9", by=person)


def test_launch_again_creates_a_second_time(unsure, forgetful, person):
    services.launch_again(unsure, by=person)

    assert submit(unsure).status == JobStatus.QUEUED
    assert forgetful.created["job"] == 1


def test_look_again_finds_what_was_listed_late(unsure, forgetful, person):
    like_ours = {"model": "base-model", "training_file": unsure.sent_training_file}
    theirs = forgetful.add_job(**like_ours)

    services.look_again(unsure, by=person)

    assert submit(unsure).remote_id == theirs["id"]


def test_a_decision_is_made_once(unsure, person):
    copy = FineTuningJob.objects.get(pk=unsure.pk)
    services.launch_again(unsure, by=person)

    with pytest.raises(IllegalTransition, match="needs no decision"):
        services.launch_again(copy, by=person)


def test_the_timeline_tells_who_decided(unsure, person):
    services.launch_again(unsure, by=person)

    assert person.get_username() in unsure.events.last().message


def test_an_unsure_job_can_be_given_up(unsure):
    services.cancel_job(unsure, by=None)

    assert unsure.status == JobStatus.CANCELLED
