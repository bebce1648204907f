"""“Does the provider have this job already?”: the page asks, a person decides."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.decisions import carry_out
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.models import AuditEntry, Role, Verb
from teams_app.services import make_token
from tests.factories import make_job, make_member, make_team

pytestmark = pytest.mark.django_db
CANDIDATE = {
    "id": "ftjob-<b>7",
    "status": "running",
    "base_model": "base-model",
    "training_file": "file-1",
    "suffix": "",
    "created_at": "2026-11-22T10:00:00+00:00",
}


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def job(team) -> FineTuningJob:
    return make_job(
        team=team,
        status=JobStatus.UNSURE,
        create_sent_at=now(),
        sent_training_file="file-1",
        candidates=[CANDIDATE],
        poll_problem="Two of them look alike.",
        launched_at=now(),
    )


@pytest.fixture
def launcher(client, team):
    user = make_member(Role.LAUNCHER, team)
    client.force_login(user)
    return user


def decide(client, job, decision, remote_id=""):
    data = {"decision": decision, "remote_id": remote_id}
    response = client.post(f"/jobs/{job.pk}/decide/", data)
    job.refresh_from_db()
    return response


def test_the_page_shows_the_candidates_escaped(client, job, launcher):
    page = client.get(f"/jobs/{job.pk}/").content.decode()

    assert "Two of them look alike." in page
    assert "ftjob-&lt;b&gt;7" in page
    assert "Launch again" in page


def test_who_may_not_launch_is_told_who_decides(client, job, team):
    client.force_login(make_member(Role.REVIEWER, team))

    page = client.get(f"/jobs/{job.pk}/").content.decode()

    assert "Somebody with the role “launcher” can decide." in page
    assert "This is it" not in page


def test_this_is_it(client, job, launcher):
    decide(client, job, "take", CANDIDATE["id"])

    assert (job.status, job.remote_id) == (JobStatus.QUEUED, CANDIDATE["id"])
    assert job.events.last().created_by == launcher
    assert AuditEntry.objects.filter(verb=Verb.DECIDED, thing_id=job.pk).exists()


def test_the_id_of_another_teams_job_is_refused_without_its_number(job):
    other = make_job(status=JobStatus.RUNNING, remote_id="ftjob-9")

    with pytest.raises(ValidationError) as raised:
        services.take_as_ours(job, "ftjob-9", by=None)

    assert str(other.pk) not in str(raised.value)


def test_launch_again(client, job, launcher):
    decide(client, job, "again")

    assert (job.status, job.create_sent_at) == (JobStatus.PENDING, None)


def test_look_again_remembers_that_it_may_be_there(client, job, launcher):
    decide(client, job, "look")

    assert job.status == JobStatus.PENDING
    assert job.create_sent_at is not None


@pytest.mark.parametrize("remote_id", ["", " ", "x" * 201, "a\nb"])
def test_an_id_that_is_none_decides_nothing(client, job, launcher, remote_id):
    decide(client, job, "take", remote_id)

    assert job.status == JobStatus.UNSURE


def test_a_reviewer_does_not_decide(client, job, team):
    client.force_login(make_member(Role.REVIEWER, team))

    assert decide(client, job, "again").status_code == 403
    assert job.status == JobStatus.UNSURE


def test_another_teams_job_is_not_there(client, job):
    client.force_login(make_member(Role.OWNER))

    assert decide(client, job, "again").status_code == 404
    assert job.status == JobStatus.UNSURE


def test_a_second_decision_is_answered_with_a_message(client, job, launcher):
    decide(client, job, "again")

    response = decide(client, job, "take", "ftjob-9")

    assert response.status_code == 302
    assert job.status == JobStatus.PENDING


def test_the_api_decides_too(client, job, launcher):
    answer = call(client, launcher, job, {"decision": "take", "remote_id": "ftjob-9"})

    assert answer.status_code == 200
    assert answer.json()["remote_id"] == "ftjob-9"


def test_the_api_refuses_an_id_that_is_none(client, job, launcher):
    assert call(client, launcher, job, {"decision": "take"}).status_code == 422


def test_the_api_tells_the_candidates(client, job, launcher):
    headers = {"Authorization": f"Bearer {token_of(launcher)}"}

    answer = client.get(f"/api/jobs/{job.pk}", headers=headers)

    assert answer.json()["candidates"] == [CANDIDATE]


def test_an_api_token_of_a_reviewer_does_not_decide(client, job, team):
    reviewer = make_member(Role.REVIEWER, team)

    assert call(client, reviewer, job, {"decision": "again"}).status_code == 403


def token_of(user) -> str:
    return make_token(user=user, name="script")


def call(client, user, job, data):
    return client.post(
        f"/api/jobs/{job.pk}/decide",
        data,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token_of(user)}"},
    )


@pytest.mark.parametrize(
    ("decision", "task", "rung"),
    [
        ("take", "poll_provider", "provider_id"),
        ("again", "submit_job", "pk"),
        ("look", "submit_job", "pk"),
    ],
)
def test_whoever_acts_on_it_is_rung(job, launcher, monkeypatch, decision, task, rung):
    heard: list[int] = []
    monkeypatch.setattr(getattr(tasks, task), "delay_on_commit", heard.append)

    carry_out(decision, job, remote_id=CANDIDATE["id"], by=launcher)

    assert heard == [getattr(job, rung)]
