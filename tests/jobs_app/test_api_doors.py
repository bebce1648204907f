"""Every call of the REST API: whose token it takes. A new call needs a line here."""

import json
from typing import Any

import pytest
from django.test import Client

from jobs_app.api import api
from jobs_app.models import FineTuningJob
from teams_app.models import Role
from teams_app.services import make_token
from tests.factories import make_job, make_member

pytestmark = pytest.mark.django_db
LIST_OR_LAUNCH = {("get", "/api/jobs"), ("post", "/api/jobs")}
LOOK = ("get", "/api/jobs/{job_id}")
# What launchers do to a job, and the least that each call must be sent.
ACTS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/api/jobs/{job_id}/approve"): {},
    ("post", "/api/jobs/{job_id}/decline"): {"comment": "No."},
    ("post", "/api/jobs/{job_id}/pause"): {},
    ("post", "/api/jobs/{job_id}/resume"): {},
    ("post", "/api/jobs/{job_id}/retry"): {},
    ("post", "/api/jobs/{job_id}/clone"): {},
    ("put", "/api/jobs/{job_id}/schedule"): {"scheduled_for": None},
    ("post", "/api/jobs/{job_id}/cancel"): {},
    ("post", "/api/jobs/{job_id}/decide"): {"decision": "look"},
}


@pytest.fixture
def job() -> FineTuningJob:
    return make_job()


def answers(client: Client, job: FineTuningJob, token: str, *calls: Any) -> set[int]:
    """The statuses of these calls about the job."""
    return {
        client.generic(
            method.upper(),
            path.format(job_id=job.pk),
            json.dumps(ACTS.get((method, path), {})),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        ).status_code
        for method, path in calls
    }


def token_of(role: Role, job: FineTuningJob | None = None) -> str:
    return make_token(user=make_member(role, job.team if job else None), name="script")


def test_every_call_has_a_line_here():
    paths = api.get_openapi_schema()["paths"]
    calls = {(method, path) for path, methods in paths.items() for method in methods}
    assert calls == {*LIST_OR_LAUNCH, LOOK, *ACTS}


def test_without_a_token_no_call_is_answered(client, job):
    client.force_login(make_member(Role.OWNER, job.team))
    assert answers(client, job, "none", *LIST_OR_LAUNCH, LOOK, *ACTS) == {401}


def test_another_team_s_job_is_found_by_no_call(client, job):
    assert answers(client, job, token_of(Role.OWNER), LOOK, *ACTS) == {404}


def test_whoever_may_not_launch_may_only_look(client, job):
    token = token_of(Role.REVIEWER, job)
    assert answers(client, job, token, LOOK) == {200}
    assert answers(client, job, token, *ACTS) == {403}
