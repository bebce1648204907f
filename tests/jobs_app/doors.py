"""One act on one job, in tests, by each of the three doors."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.models import Role
from teams_app.services import make_token
from tests.factories import make_job, make_member, make_team
from tests.jobs_app.test_admin import JOBS

BODY = {"schedule": {"scheduled_for": None}, "decline": {"comment": "No."}}
FORM = {
    "schedule": {"scheduled_for": ""},
    "decline": {"comment": "No."},
}


def job_in(status: JobStatus) -> FineTuningJob:
    """A pending one waits for its time, and one that awaits approval was asked for."""
    if status == JobStatus.AWAITING_APPROVAL:
        job = make_job(team=make_team(approve_always=True))
        services.launch_job(job, by=make_member(Role.LAUNCHER, job.team))
        return job
    waits = status == JobStatus.PENDING
    return make_job(
        status=status, scheduled_for=now() + timedelta(hours=3) if waits else None
    )


def signed_in(job: FineTuningJob, client: Client) -> Client:
    client.force_login(make_member(Role.LAUNCHER, job.team))
    return client


def by_page(client: Client, job: FineTuningJob, act: str) -> Any:
    address = f"/jobs/{job.pk}/{act}/"
    return signed_in(job, client).post(address, FORM.get(act, {}), follow=True)


def by_admin(client: Client, job: FineTuningJob, act: str) -> Any:
    chosen = {"action": act, "_selected_action": [job.pk], "comment": "No."}
    return signed_in(job, client).post(JOBS, chosen, follow=True)


def by_api(client: Client, job: FineTuningJob, act: str) -> Any:
    token = make_token(user=make_member(Role.LAUNCHER, job.team), name="script")
    return client.generic(
        "PUT" if act == "schedule" else "POST",
        f"/api/jobs/{job.pk}/{act}",
        json.dumps(BODY.get(act, {})),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
