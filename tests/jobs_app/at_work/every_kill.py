"""Every step of a submission, and a kill at it: run by hand, for it takes minutes.

    .venv/bin/python -m pytest tests/jobs_app/at_work/every_kill.py

With DATABASE_URL it makes a database of its own on that PostgreSQL.
"""

import pytest

from tests.jobs_app.at_work.kills import STEPS, Step, assert_once, killed_at
from tests.jobs_app.at_work.test_killed_submissions import faulty, site

__all__ = ["faulty", "site"]
pytestmark = pytest.mark.processes


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_worker_is_killed(step: Step, site, faulty):
    job, provider = killed_at(step, site, faulty)

    assert_once(job, provider, site, faulty)
