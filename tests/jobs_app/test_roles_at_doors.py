"""Whoever may not launch, or does not own the team, changes nothing by any door."""

import pytest
from django.urls import reverse

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Webhook
from teams_app.models import Role, Team, User
from teams_app.services import make_token
from tests.factories import make_job, make_member, make_provider, make_team
from tests.jobs_app.test_admin import JOBS

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team(approve_always=True)


@pytest.fixture
def waiting(team) -> FineTuningJob:
    job = make_job(team=team, provider=make_provider(team=team))
    services.launch_job(job, by=make_member(Role.LAUNCHER, team))
    return job


@pytest.fixture
def reviewer(team) -> User:
    """Who launches in another team."""
    user = make_member(Role.REVIEWER, team)
    make_team().membership_set.create(user=user, role=Role.LAUNCHER)
    return user


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "approve", {}),
        ("post", "decline", {"comment": "No."}),
        ("post", "pause", {}),
        ("post", "resume", {}),
        ("post", "retry", {}),
        ("post", "clone", {}),
        ("put", "schedule", {"scheduled_for": None}),
    ],
)
def test_the_api_wants_a_launcher(client, waiting, reviewer, method, path, body):
    token = make_token(user=reviewer, name="script")

    answer = getattr(client, method)(
        f"/api/jobs/{waiting.pk}/{path}",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 403
    assert FineTuningJob.objects.get().status == JobStatus.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("action", "status"),
    [("decline", JobStatus.AWAITING_APPROVAL), ("retry", "failed")],
)
def test_the_admin_wants_a_launcher(client, waiting, reviewer, action, status):
    FineTuningJob.objects.update(status=status)
    client.force_login(reviewer)
    chosen = {"action": action, "_selected_action": waiting.pk, "comment": "No."}

    client.post(JOBS, chosen)

    assert FineTuningJob.objects.get().status == status


def test_the_rules_of_a_team_are_set_by_owners(client, team):
    client.force_login(make_member(Role.LAUNCHER, team))

    answer = client.post(reverse("teams:detail", args=[team.pk]), {})

    assert answer.status_code == 403
    team.refresh_from_db()
    assert team.approve_always


def test_a_webhook_is_added_by_owners(client, team):
    client.force_login(make_member(Role.LAUNCHER, team))
    hook = {
        "name": "Chat",
        "url": "https://hooks.example/1",
        "language": "en",
        "kinds": ["failed"],
    }
    answer = client.post(reverse("teams:webhook_add", args=[team.pk]), hook)

    assert answer.status_code == 403
    assert not Webhook.objects.exists()
