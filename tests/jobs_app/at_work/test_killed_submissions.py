"""Celery workers killed while they submit: one run and one upload, whatever happens.

All the steps: `pytest tests/jobs_app/at_work/every_kill.py`; here are the worst.
"""

import os
from collections.abc import Iterator

import pytest

from tests.datasets_app.at_work.site import Site, new_site
from tests.jobs_app.at_work.kills import (
    PERSON,
    Step,
    asleep_at,
    assert_once,
    empty_broker,
    follow,
    killed_at,
)
from tests.jobs_app.faulty_provider import FaultyProvider

pytestmark = pytest.mark.processes
WORST = [
    Step("upload_file", True),
    Step("create_job", True),
    Step("add_part", True, in_parts=True),
]


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultyProvider]:
    with FaultyProvider() as running:
        yield running


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, faulty: FaultyProvider
) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVIDER_ALLOWED_HOSTS", faulty.host)
        folder = tmp_path_factory.mktemp("launches") / "var"
        with new_site(folder, os.environ.get("DATABASE_URL", ""), PERSON) as site:
            site.celery_app = "tests.jobs_app.at_work.in_small"
            yield site


@pytest.mark.parametrize("step", WORST, ids=str)
def test_a_worker_is_killed(step: Step, site: Site, faulty: FaultyProvider):
    job, provider = killed_at(step, site, faulty)

    assert_once(job, provider, site, faulty)


def test_a_worker_that_slept_comes_too_late(site: Site, faulty: FaultyProvider):
    job, provider = asleep_at(Step("show_file", True), site, faulty)

    assert_once(job, provider, site, faulty)


def test_two_workers_two_beats_and_an_emptied_broker(
    site: Site, faulty: FaultyProvider
):
    """Eight launches of one version: eight runs, one upload."""
    faulty.forget()
    provider = site.ask("new_provider", base_url=faulty.base_url)
    version = site.ask("new_version", provider=provider)
    jobs = [site.ask("launch", provider=provider, version=version) for _ in range(4)]
    empty_broker(site)
    jobs += [
        site.ask("launch", provider=provider, version=version, rings=False)
        for _ in range(4)
    ]
    site.ask("let_beats_tick")
    for _ in range(2):
        site.start_worker()
        site.start_beat()

    follow(jobs, site)

    remote_ids = {site.ask("state", job=job)["remote_id"] for job in jobs}
    assert remote_ids == set(faulty.jobs)
    assert (faulty.created["job"], faulty.created["file"]) == (8, 1)
