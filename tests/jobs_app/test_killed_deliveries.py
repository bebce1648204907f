"""A real Celery worker that is killed while it delivers: nothing is lost, and whoever
gets a message twice can tell by its id."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets_app.at_work.site import Site, new_site, wait_for
from tests.jobs_app.receiver import Receiver

pytestmark = pytest.mark.processes
FAIL_A_JOB = """
from jobs_app.models import JobStatus, Webhook, TOLD
from guarded_calls.signing import new_secret
from tests.factories import make_job
job = make_job(status=JobStatus.RUNNING)
Webhook.objects.create(
    team=job.team, url={url!r}, secret=new_secret(), kinds=list(TOLD)
)
job.move_to(JobStatus.FAILED)
"""
TICK = """
from django.utils.timezone import now
from jobs_app import tasks
from jobs_app.models import Delivery
Delivery.objects.update(next_try_at=now())  # its claim has run out
tasks.drive_notices()
"""
STATES = """
import json
from jobs_app.models import Delivery
values = Delivery.objects.values_list("state", "n_attempts")
open({path!r}, "w").write(json.dumps(list(values)))
"""


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    with Receiver() as running:
        monkeypatch.setenv("WEBHOOK_ALLOWED_HOSTS", running.host)
        yield running


@pytest.fixture
def site(tmp_path: Path, receiver: Receiver) -> Iterator[Site]:
    with new_site(tmp_path / "var", os.environ.get("DATABASE_URL", "")) as site:
        yield site


def test_a_worker_killed_while_it_sends(site: Site, receiver: Receiver, tmp_path: Path):
    receiver.may_answer.clear()
    site.run(FAIL_A_JOB + TICK, url=receiver.url)
    site.start_worker()
    wait_for(lambda: len(receiver.got) == 1)
    assert site.worker
    os.killpg(site.worker.pid, signal.SIGKILL)
    receiver.may_answer.set()

    site.start_worker()
    site.run(TICK)

    wait_for(lambda: len(receiver.got) == 2)
    ids = {headers["webhook-id"] for headers, _body in receiver.got}
    assert len(ids) == 1
    told = tmp_path / "states"
    wait_for(lambda: _states(site, told) == [["sent", 1]])


def _states(site: Site, told: Path) -> list[list[object]]:
    site.run(STATES, path=str(told))
    states: list[list[object]] = json.loads(told.read_text())
    return states
