"""In the admin: launches for later, and jobs that need a decision."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import localdate, now

from jobs_app.models import FineTuningJob, JobStatus, ListedModel
from teams_app.models import Role
from tests.factories import make_job, make_member
from tests.jobs_app.test_admin import JOBS, draft_form, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client) -> FineTuningJob:
    job = make_job(status=JobStatus.UNSURE, create_sent_at=now())
    client.force_login(make_member(Role.LAUNCHER, job.team))
    return job


@pytest.fixture
def draft(client) -> FineTuningJob:
    draft = make_job()
    client.force_login(make_member(Role.LAUNCHER, draft.team))
    return draft


def act(client, action: str, *jobs: FineTuningJob, **data: str) -> str:
    chosen = {"action": action, "_selected_action": [each.pk for each in jobs]}
    answer = client.post(JOBS, {**chosen, **data}, follow=True)
    for each in jobs:
        each.refresh_from_db()
    return answer.content.decode()


def test_this_is_it(client, job):
    act(client, "take_as_ours", job, remote_id=" ftjob-7 ")

    assert (job.status, job.remote_id) == (JobStatus.QUEUED, "ftjob-7")


def test_one_id_is_given_to_one_job(client, job):
    second = make_job(team=job.team, status=JobStatus.UNSURE, create_sent_at=now())

    page = act(client, "take_as_ours", job, second, remote_id="ftjob-7")

    assert "select this one alone" in page
    assert {job.status, second.status} == {JobStatus.UNSURE}


def test_an_id_that_is_none_is_refused_in_words(client, job):
    page = act(client, "take_as_ours", job)

    assert "Give the id that the job has at the provider." in page
    assert job.status == JobStatus.UNSURE


@pytest.mark.parametrize(
    ("action", "is_forgotten"), [("launch_again", True), ("look_again", False)]
)
def test_again_or_only_looking(client, job, action, is_forgotten):
    act(client, action, job)

    assert job.status == JobStatus.PENDING
    assert (job.create_sent_at is None) is is_forgotten


@pytest.mark.parametrize("action", ["take_as_ours", "launch_again", "look_again"])
def test_reviewers_decide_about_nothing(client, job, action):
    client.force_login(make_member(Role.REVIEWER, job.team))

    act(client, action, job, remote_id="ftjob-7")

    assert job.status == JobStatus.UNSURE


@pytest.mark.parametrize("action", ["take_as_ours", "launch_again", "look_again"])
def test_nor_do_launchers_of_other_teams(client, job, action):
    client.force_login(make_member(Role.LAUNCHER))

    act(client, action, job, remote_id="ftjob-7")

    assert job.status == JobStatus.UNSURE


def test_the_page_shows_which_jobs_it_may_be(client, job):
    FineTuningJob.objects.update(candidates=[{"id": "ftjob-seen-there"}])

    assert "ftjob-seen-there" in client.get(page_of(job)).content.decode()


def test_a_draft_is_given_a_time(client, draft):
    later = (now() + timedelta(days=2)).astimezone(UTC)
    form = draft_form(draft, launch_at=f"{later:%Y-%m-%dT%H:%M}")

    client.post(page_of(draft), form)

    draft.refresh_from_db()
    assert draft.scheduled_for == later.replace(second=0, microsecond=0)
    assert 'type="datetime-local"' in client.get(page_of(draft)).content.decode()


def test_a_time_can_be_taken_back(client, draft):
    FineTuningJob.objects.update(scheduled_for=datetime(2099, 1, 1, tzinfo=UTC))

    client.post(page_of(draft), draft_form(draft))

    draft.refresh_from_db()
    assert draft.scheduled_for is None


def test_a_time_that_is_past_is_refused_beside_its_field(client, draft):
    form = draft_form(draft, launch_at="2020-01-01T00:00")

    answer = client.post(page_of(draft), form)

    assert "past" in str(answer.context["adminform"].form.errors["launch_at"])


def test_a_new_draft_may_have_a_time(client, draft):
    form = draft_form(draft, launch_at=f"{now() + timedelta(days=2):%Y-%m-%dT%H:%M}")

    client.post(reverse("admin:jobs_app_finetuningjob_add"), form)

    assert FineTuningJob.objects.exclude(pk=draft.pk).get().scheduled_for is not None


def test_who_launches_hears_when_the_base_model_ends(client, draft):
    ListedModel.objects.create(
        provider=draft.provider,
        name=draft.base_model,
        shutdown_date=localdate() + timedelta(days=20),
    )
    assert "will be shut down on" in act(client, "launch", draft)


def test_what_a_worker_stored_is_told_in_the_readers_language(client, job):
    stopped = "The tuning server is not running at http://h/v1. Start it with: ./run"
    job.poll_problem = stopped
    job.save()
    job.events.create(message=f"poll failed: {stopped}")
    client.cookies["django_language"] = "ko"

    page = client.get(page_of(job)).text

    assert page.count("다음 명령으로 시작하세요: ./run") == 2
