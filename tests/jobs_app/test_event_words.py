"""A job's story in Korean: what services note of it, and the tuning server's events."""

import re

import pytest
from django.utils.translation import override

from jobs_app.models import FineTuningJob, JobStatus
from jobs_app.services import cancel_job, launch_job
from jobs_app.templatetags.events import told
from jobs_app.timeline import timeline
from teams_app.models import Role
from tests.factories import make_job, make_member
from tests.tuning_server_app.factories import make_job as make_server_job
from tests.tuning_server_app.test_run_record import FINISHED, RESOLVED, checkpoint
from tuning_server_app.services.run_record import RunRecord

pytestmark = pytest.mark.django_db


def newest(job: FineTuningJob) -> str:
    event = timeline(job).lines[0].event
    with override("ko"):
        return told(event.data.get("note") or event.message)


def test_who_launched_and_who_wished_to_cancel():
    job = make_job(status=JobStatus.DRAFT)
    mina = make_member(Role.LAUNCHER, job.team, username="mina")
    launch_job(job, by=mina)
    assert timeline(job).lines[0].event.created_by == mina
    job.move_to(JobStatus.SUBMITTING)
    cancel_job(job, by=mina)
    assert newest(job) == "취소 요청: mina 님"


def test_why_a_job_waits():
    job = make_job(status=JobStatus.SUBMITTING)
    job.move_to(JobStatus.PENDING, note="(will retry: Cards did not answer in time.)")
    assert newest(job) == "(다시 시도 예정: Cards이(가) 제시간에 응답하지 않았습니다.)"


def test_the_tuning_servers_events():
    job = make_server_job(status="running", claim="0" * 32, attempts=1)
    record = RunRecord(job)
    record.store(RESOLVED)
    record.store(checkpoint(4))
    record.succeed(FINISHED)
    with override("ko"):
        for message in job.events.values_list("message", flat=True):
            assert re.search("[가-힣]", told(message)), message
