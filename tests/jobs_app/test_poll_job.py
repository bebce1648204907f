import math
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import EventType, FineTuningJob, JobStatus
from jobs_app.providers import ProviderClient, RemoteCheckpoint, RemoteJob
from jobs_app.services.remote_state import store_remote_state
from tests.factories import make_job
from tests.jobs_app.polls import poll

RETRIEVE = ("GET", "/v1/fine_tuning/jobs/[^/]+")
EVENTS = ("GET", "/v1/fine_tuning/jobs/[^/]+/events")


@pytest.fixture
def job(provider, fake) -> FineTuningJob:
    remote = fake.add_job(status="running")
    return make_job(provider=provider, status=JobStatus.RUNNING, remote_id=remote["id"])


def messages(job: FineTuningJob) -> list[str]:
    provider_s = job.events.exclude(type=EventType.STATUS)
    return list(provider_s.values_list("message", flat=True))


def test_success_brings_the_models_name_and_the_figures(job, fake):
    fake.jobs[job.remote_id] |= {
        "status": "succeeded",
        "fine_tuned_model": "ft:base-model:org::1",
        "trained_tokens": 1234,
        "finished_at": 1_700_000_900,
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 3}},
        },
    }

    poll(job)

    assert job.status == JobStatus.SUCCEEDED
    assert job.fine_tuned_model == "ft:base-model:org::1"
    assert job.trained_tokens == 1234
    assert job.finished_at.timestamp() == 1_700_000_900
    assert job.resolved_hyperparameters == {"n_epochs": 3}


def test_failure_brings_the_providers_reason(job, fake):
    fake.jobs[job.remote_id] |= {
        "status": "failed",
        "error": {"code": "invalid_n_examples", "message": "Too few", "param": None},
    }

    poll(job)

    assert job.status == JobStatus.FAILED
    assert job.error == {"code": "invalid_n_examples", "message": "Too few"}
    assert "Too few" in job.events.filter(type=EventType.STATUS).last().message


def test_a_change_of_status_keeps_the_providers_request_id(job, fake):
    fake.jobs[job.remote_id]["status"] = "paused"

    poll(job)

    event = job.events.get(type=EventType.STATUS)
    assert event.request_id.startswith("req-")
    assert event.created_by is None


def test_events_are_stored_once_and_in_order(job, fake):
    fake.add_event(job.remote_id, "one")
    poll(job)
    fake.add_event(job.remote_id, "two")
    poll(job)
    poll(job)

    assert messages(job) == ["one", "two"]


def test_events_are_paged_only_until_a_known_one(job, fake):
    for i in range(250):
        fake.add_event(job.remote_id, f"step {i}")
    poll(job)
    assert len(fake.sent(*EVENTS)) == 3
    fake.add_event(job.remote_id, "newest")
    poll(job)

    assert len(fake.sent(*EVENTS)) == 4
    assert job.events.count() == 251


def test_an_event_that_slips_below_a_known_one_of_its_second_is_kept(job, fake):
    fake.add_event(job.remote_id, "first")
    poll(job)
    late = fake.add_event(job.remote_id, "late")
    fake.events[job.remote_id].remove(late)
    fake.events[job.remote_id].append(late)

    poll(job)

    assert messages(job) == ["first", "late"]


def test_a_failure_between_two_pages_of_events_leaves_no_gap(job, fake, monkeypatch):
    for i in range(150):
        fake.add_event(job.remote_id, f"step {i}")
    first_page = fake.events[job.remote_id][:100]
    fake.answers(*EVENTS, 200, {"data": first_page, "has_more": True})
    fake.answers(*EVENTS, 500, {})

    poll(job)
    assert job.events.filter(message="step 149").count() == 0
    poll(job)

    assert len([m for m in messages(job) if m.startswith("step")]) == 150


def test_a_server_that_ignores_the_cursor_is_left_after_one_round(job, fake):
    fake.ignores_after = True
    fake.add_event(job.remote_id, "only one")

    poll(job)

    assert messages(job) == ["only one"]
    assert len(fake.sent(*EVENTS)) == 2


def test_events_that_are_listed_twice_hide_none_of_the_others(job, fake):
    fake.add_event(job.remote_id, "old")
    fake.add_event(job.remote_id, "new")
    twice = [event for event in fake.events[job.remote_id] for _ in range(2)]
    fake.answers(*EVENTS, 200, {"data": twice, "has_more": False})

    poll(job)

    assert sorted(messages(job)) == ["new", "old"]


def test_events_without_an_id_are_still_stored_once(job, fake):
    fake.add_event(job.remote_id, "anonymous", id=None)

    poll(job)
    poll(job)

    assert messages(job) == ["anonymous"]


def test_events_written_after_the_end_are_fetched_by_a_last_look(job, fake):
    fake.jobs[job.remote_id]["status"] = "succeeded"
    poll(job)
    assert job.next_reading_at is not None
    fake.add_event(job.remote_id, "The job has successfully completed")
    two_minutes_ago = now() - timedelta(minutes=2)
    FineTuningJob.objects.update(status_changed_at=two_minutes_ago)

    poll(job)

    assert "The job has successfully completed" in messages(job)
    assert job.next_reading_at is None


def test_the_last_events_are_stored_before_the_job_is_shown_as_ended(job, fake):
    fake.jobs[job.remote_id]["status"] = "succeeded"
    fake.add_event(job.remote_id, "The job has successfully completed")

    services.poll_provider(job.provider)

    last_two = list(job.events.order_by("-pk").values_list("message", flat=True))[:2]
    assert last_two == ["running → succeeded", "The job has successfully completed"]


def test_last_events_that_cannot_be_read_at_once_are_read_later(job, fake):
    fake.jobs[job.remote_id]["status"] = "succeeded"
    fake.add_event(job.remote_id, "The job has successfully completed")
    fake.answers(*EVENTS, 500, {}, times=6)
    for _ in range(5):
        poll(job)
    assert job.status == JobStatus.SUCCEEDED
    assert job.next_reading_at > now()

    poll(job)

    assert "The job has successfully completed" in messages(job)


def test_last_events_that_cannot_be_read_for_days_are_given_up(job, fake):
    fake.jobs[job.remote_id]["status"] = "succeeded"
    fake.answers(*EVENTS, 500, {}, times=9)
    poll(job)
    FineTuningJob.objects.update(status_changed_at=now() - timedelta(days=4))

    poll(job)

    assert job.next_reading_at is None
    assert any("could not be read" in message for message in messages(job))


def test_a_key_that_is_refused_for_a_while_costs_no_event(job, fake):
    fake.jobs[job.remote_id]["status"] = "succeeded"
    fake.add_event(job.remote_id, "The job has successfully completed")
    fake.answers(*EVENTS, 401, {}, times=3)
    poll(job)
    two_minutes_ago = now() - timedelta(minutes=2)  # so the next look is the last one
    FineTuningJob.objects.update(status_changed_at=two_minutes_ago)
    poll(job)

    poll(job)

    assert "The job has successfully completed" in messages(job)


def test_a_provider_without_events_and_checkpoints_is_followed_all_the_same(job, fake):
    fake.refuses(*EVENTS, 404, "unknown url")
    fake.refuses("GET", ".*/checkpoints", 404, "unknown url")
    fake.jobs[job.remote_id]["status"] = "succeeded"

    assert poll(job).status == JobStatus.SUCCEEDED


def test_metrics_become_points(job, fake):
    for step in (1, 2):
        data = {"step": step, "train_loss": 1 / step, "valid_loss": None}
        fake.add_event(job.remote_id, f"Step {step}", type="metrics", data=data)
    late = {"step": 2, "full_valid_loss": 0.4}
    fake.add_event(job.remote_id, "Epoch", type="metrics", data=late)

    poll(job)

    assert services.metrics_of(job) == [
        {"step": 1, "train_loss": 1.0},
        {"step": 2, "train_loss": 0.5, "full_valid_loss": 0.4},
    ]


def test_numbers_no_database_takes_become_nothing(job, fake):
    data = {"step": 1, "train_loss": math.nan, "huge": 10**30, "name": "a\0b"}
    fake.add_event(job.remote_id, "NUL \0 in it", type="metrics", data=data)

    poll(job)

    event = job.events.get(type=EventType.METRICS)
    assert event.data == {"step": 1, "train_loss": None, "huge": None, "name": "ab"}
    assert event.message == "NUL  in it"


def wire_checkpoint(step: int) -> dict[str, Any]:
    return {
        "id": f"ftckpt-{step}",
        "created_at": 1_700_000_000,
        "fine_tuned_model_checkpoint": f"ft:base-model:org::1:ckpt-step-{step}",
        "step_number": step,
        "metrics": {"step": step, "train_loss": 0.1, "valid_loss": None},
    }


def test_checkpoints_that_the_provider_no_longer_keeps_leave_the_list(job, fake):
    fake.checkpoints[job.remote_id] = [wire_checkpoint(5)]
    poll(job)
    fake.checkpoints[job.remote_id] = [wire_checkpoint(10)]
    poll(job)

    assert [each.step_number for each in job.checkpoints.all()] == [10]


def test_a_reader_that_slept_removes_no_newer_checkpoint(job, fake, monkeypatch):
    fake.checkpoints[job.remote_id] = [wire_checkpoint(5)]
    ask = ProviderClient.checkpoints

    def sleep_over_the_answer(client: ProviderClient, job_id: str) -> Any:
        answer = ask(client, job_id)
        job.checkpoints.create(
            remote_id="ckpt-10", step_number=10, metrics={}, created_at=now()
        )
        return answer

    monkeypatch.setattr(ProviderClient, "checkpoints", sleep_over_the_answer)

    poll(job)

    assert {each.step_number for each in job.checkpoints.all()} == {5, 10}


def test_checkpoints_are_stored_once(job, fake):
    fake.checkpoints[job.remote_id] = [
        wire_checkpoint(5),
        {"id": "ftckpt-broken", "step_number": None},
    ]

    poll(job)
    poll(job)

    checkpoint = job.checkpoints.get()
    assert checkpoint.name == "ft:base-model:org::1:ckpt-step-5"
    assert checkpoint.metrics == {"step": 5, "train_loss": 0.1}


@pytest.mark.parametrize(
    "odd",
    [
        {"error": {}},
        {"error": {"code": None, "message": None}},
        {"hyperparameters": None},
        {"organization_id": None, "result_files": None},
        {"trained_tokens": "many", "estimated_finish": -1},
        {"estimated_finish": 1_700_000_000_000},
        {"finished_at": math.inf},
        {"method": []},
    ],
)
def test_odd_answers_are_read_as_far_as_they_go(job, fake, odd):
    fake.jobs[job.remote_id] |= odd

    poll(job)

    assert job.status == JobStatus.RUNNING
    assert job.poll_problem == ""


def test_azures_pending_means_queued(job, fake):
    fake.jobs[job.remote_id]["status"] = "pending"

    assert poll(job).status == JobStatus.QUEUED
    assert job.remote_status == "pending"


def test_an_unknown_status_is_shown_once_and_changes_nothing(job, fake):
    fake.jobs[job.remote_id]["status"] = "meditating"

    poll(job)
    poll(job)

    assert job.status == JobStatus.RUNNING
    assert job.remote_status == "meditating"
    assert len([m for m in messages(job) if "meditating" in m]) == 1


def test_a_failed_poll_is_noted_and_tried_again_later(job, fake):
    fake.answers(*RETRIEVE, 500, {})

    poll(job)

    assert job.status == JobStatus.RUNNING
    assert job.n_poll_failures == 1
    assert job.poll_problem
    assert job.next_poll_at > now()


def test_the_same_failure_is_told_once(job, fake):
    fake.answers(*RETRIEVE, 500, {}, times=5)
    for _ in range(5):
        poll(job)

    [failed] = job.events.filter(message__startswith="poll failed")
    assert failed.request_id.startswith("req-")


def test_a_good_poll_clears_the_problem(job, fake):
    fake.answers(*RETRIEVE, 500, {})
    poll(job)
    poll(job)

    assert (job.poll_problem, job.n_poll_failures) == ("", 0)


def test_a_key_that_was_changed_at_the_provider_does_not_fail_the_job(job, fake):
    fake.refuses(*RETRIEVE, 401, "Incorrect API key", "invalid_api_key")
    for _ in range(5):
        poll(job)

    assert job.status == JobStatus.RUNNING
    assert "API key" in job.poll_problem


def test_a_job_the_provider_has_forgotten_fails_after_three_tries(job, fake):
    fake.jobs.clear()
    assert poll(job).status == JobStatus.RUNNING
    assert poll(job).status == JobStatus.RUNNING
    assert poll(job).status == JobStatus.FAILED
    assert "no longer knows" in job.error["message"]


def test_a_poll_that_comes_too_late_changes_nothing(job, fake):
    late = FineTuningJob.objects.get(pk=job.pk)
    fake.jobs[job.remote_id]["status"] = "succeeded"
    poll(job)

    assert not store_remote_state(late, RemoteJob(job.remote_id, JobStatus.RUNNING))

    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    assert job.next_poll_at is None


def test_events_that_another_worker_stored_a_moment_ago_are_no_error(
    job, fake, monkeypatch
):
    event = fake.add_event(job.remote_id, "twice")

    def overtaken(*args: object) -> list[RemoteCheckpoint]:
        job.events.create(remote_id=event["id"], message="twice")
        return []

    monkeypatch.setattr(ProviderClient, "checkpoints", overtaken)

    poll(job)

    assert messages(job) == ["twice"]
    assert job.poll_problem == ""


def test_a_built_in_job_is_polled_every_two_seconds(job, fake):
    poll(job)
    elsewhere = job.next_poll_at - now()
    job.provider.kind = "built_in"
    job.provider.save()
    poll(job)

    assert job.next_poll_at - now() <= timedelta(seconds=2.2) < elsewhere
