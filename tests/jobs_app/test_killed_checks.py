"""A real Celery worker that is killed while its check creates a job."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets_app.at_work.site import Site, new_site, wait_for
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.faulty_provider import FaultyProvider

pytestmark = pytest.mark.processes
PATIENCE_SECONDS = 60
START = """
from jobs_app import services, tasks
from tests.factories import make_provider
provider = make_provider(base_url={url!r}, api_key={key!r})
check = services.start_check(
    provider, base_model="base-model", may_cost=True, by=None
)
tasks.check_provider.delay(check.pk)
"""
TICK = """
from datetime import timedelta
from django.utils.timezone import now
from jobs_app import tasks
from jobs_app.models import ProviderCheck
if {is_dead!r}:  # a while has passed since the worker died
    ProviderCheck.objects.update(heartbeat_at=now() - timedelta(minutes=5))
for pk in ProviderCheck.objects.filter(status="pending").values_list("pk", flat=True):
    tasks.check_provider.delay(pk)
tasks.drive_open_jobs()
open({told!r}, "w").write(ProviderCheck.objects.get().status)
"""


@pytest.fixture
def server(monkeypatch) -> Iterator[FaultyProvider]:
    with FaultyProvider() as running:
        monkeypatch.setenv("PROVIDER_ALLOWED_HOSTS", running.host)
        yield running


@pytest.fixture
def site(tmp_path: Path, server: FaultyProvider) -> Iterator[Site]:
    with new_site(tmp_path / "var", os.environ.get("DATABASE_URL", "")) as site:
        yield site


def test_a_worker_killed_behind_the_creation_leaves_no_job(
    site: Site, server: FaultyProvider, tmp_path: Path
):
    held, told = server.holds("create_job", acts_first=True), tmp_path / "told"
    site.run(START, url=server.base_url, key=API_KEY)
    site.start_worker()
    assert held.reached.wait(PATIENCE_SECONDS)
    assert site.worker
    os.killpg(site.worker.pid, signal.SIGKILL)
    held.released.set()
    lost = next(iter(server.jobs))

    site.start_worker()
    site.run(TICK, is_dead=True, told=str(told))
    wait_for(lambda: _ended(site, told))

    assert server.jobs[lost]["status"] == "cancelled"
    assert {job["status"] for job in server.jobs.values()} == {"cancelled"}
    assert server.files == {}


def _ended(site: Site, told: Path) -> bool:
    site.run(TICK, is_dead=False, told=str(told))
    return told.read_text() == "finished"
