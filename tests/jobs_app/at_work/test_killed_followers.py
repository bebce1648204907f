"""Whoever is killed while a job is followed or cancelled: no event is lost or doubled.

All the steps: `pytest tests/jobs_app/at_work/every_kill.py`; here are the worst.
"""

import os
from collections.abc import Iterator

import pytest

from tests.datasets_app.at_work.site import new_site
from tests.jobs_app.at_work.followers import (
    Followers,
    dies_cancelling,
    dies_following,
    web_dies_cancelling,
)
from tests.jobs_app.at_work.kills import PERSON, Step
from tests.jobs_app.faulty_provider import FaultyProvider

pytestmark = pytest.mark.processes
WORST = [
    Step("list_jobs", True),
    Step("show_job", True),
    Step("list_events", True),
    Step("list_checkpoints", True),
]


@pytest.fixture(scope="module")
def watched() -> Iterator[FaultyProvider]:
    with FaultyProvider() as running:
        yield running


@pytest.fixture(scope="module")
def staff(
    tmp_path_factory: pytest.TempPathFactory, watched: FaultyProvider
) -> Iterator[Followers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVIDER_ALLOWED_HOSTS", watched.host)
        folder = tmp_path_factory.mktemp("followed") / "var"
        with new_site(folder, os.environ.get("DATABASE_URL", ""), PERSON) as site:
            yield Followers(site)


@pytest.mark.parametrize("step", WORST, ids=str)
def test_the_workers_are_killed_while_they_follow(
    step: Step, staff: Followers, watched: FaultyProvider
):
    dies_following(step, Followers.kill_workers, staff, watched)


def test_the_workers_are_killed_while_they_cancel(
    staff: Followers, watched: FaultyProvider
):
    dies_cancelling(Step("cancel_job", True), Followers.kill_workers, staff, watched)


def test_the_broker_is_killed_and_emptied_during_a_poll(
    staff: Followers, watched: FaultyProvider
):
    dies_following(Step("list_jobs", True), Followers.empty_broker, staff, watched)


def test_the_web_process_is_killed_while_somebody_cancels(
    staff: Followers, watched: FaultyProvider
):
    web_dies_cancelling(Step("cancel_job", True), staff, watched)
