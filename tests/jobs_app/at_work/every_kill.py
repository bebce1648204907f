"""Every step of submit, poll, cancel and pause, and a kill at it: run by hand, for it
takes minutes.

    .venv/bin/python -m pytest tests/jobs_app/at_work/every_kill.py

With DATABASE_URL it makes a database of its own on that PostgreSQL.
"""

import pytest

from tests.jobs_app.at_work.followers import (
    CANCELLING,
    FOLLOWING,
    PAUSING,
    Followers,
    dies_cancelling,
    dies_following,
    web_dies_cancelling,
    web_dies_pausing,
)
from tests.jobs_app.at_work.kills import (
    SLEEPS,
    STEPS,
    Step,
    asleep_at,
    assert_once,
    killed_at,
)
from tests.jobs_app.at_work.test_killed_followers import staff, watched
from tests.jobs_app.at_work.test_killed_submissions import faulty, site

__all__ = ["faulty", "site", "staff", "watched"]
pytestmark = pytest.mark.processes
DEATHS = [Followers.kill_workers, Followers.empty_broker]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_worker_is_killed(step: Step, site, faulty):
    job, provider = killed_at(step, site, faulty)

    assert_once(job, provider, site, faulty)


@pytest.mark.parametrize("step", SLEEPS, ids=str)
def test_a_worker_sleeps(step: Step, site, faulty):
    job, provider = asleep_at(step, site, faulty)

    assert_once(job, provider, site, faulty)


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("step", FOLLOWING, ids=str)
def test_somebody_dies_following(step: Step, death, staff, watched):
    dies_following(step, death, staff, watched)


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("step", CANCELLING, ids=str)
def test_somebody_dies_cancelling(step: Step, death, staff, watched):
    dies_cancelling(step, death, staff, watched)


@pytest.mark.parametrize("step", CANCELLING, ids=str)
def test_the_web_process_dies_cancelling(step: Step, staff, watched):
    web_dies_cancelling(step, staff, watched)


@pytest.mark.parametrize("step", PAUSING, ids=str)
def test_the_web_process_dies_pausing(step: Step, staff, watched):
    web_dies_pausing(step, staff, watched)
