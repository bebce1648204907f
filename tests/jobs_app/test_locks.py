"""Decisions that two may not make at once lock the row they are about."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from datasets_app.services import runs
from jobs_app.models import FineTuningJob, JobStatus, LeftoverFile, ProviderCheck
from jobs_app.services import claiming, launching, leftovers, pace, submitting
from jobs_app.services.compatibility import running
from teams_app.services import save_team
from tests.factories import make_job

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="every transaction locks all of SQLite"
    ),
]


def announce(job: FineTuningJob) -> None:
    """Or two jobs without a launch key are created at once."""
    assert claiming.claim(job)
    submitting._announce(job, "file-1")


def launch(job: FineTuningJob) -> None:
    """Or a draft is changed between the judgement and the launch."""
    launching._require_unchanged(job)


def give_up(job: FineTuningJob) -> None:
    """Or a file is deleted that a job of this moment takes for there."""
    file = LeftoverFile.objects.create(
        provider=job.provider, remote_id="file-1", name="a.jsonl", seen_at=now()
    )
    leftovers._give_up(job.provider, file)


def reserve(job: FineTuningJob) -> None:
    """Or two workers are both granted the last request of a minute."""
    pace.reserve_all(job.provider, 1)


def end_a_check(job: FineTuningJob) -> None:
    """Or what was found at one address is kept for another."""
    provider = job.provider
    check = ProviderCheck.objects.create(provider=provider, base_url=provider.base_url)
    assert runs.claim(check)
    running._end(check)


def change_rules(job: FineTuningJob) -> None:
    """Or the log tells of another change than the one that was made."""
    save_team(job.team, by=None)


ACTS: list[tuple[Callable[[FineTuningJob], Any], str]] = [
    (announce, "jobs_app_provider"),
    (launch, "jobs_app_finetuningjob"),
    (give_up, "jobs_app_provider"),
    (reserve, "jobs_app_providerpace"),
    (end_a_check, "jobs_app_provider"),
    (change_rules, "teams_app_team"),
]


@pytest.mark.parametrize(("act", "table"), ACTS)
def test_the_row_is_locked(act, table):
    job = make_job(status=JobStatus.PENDING)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        act(job)

    locking = [each["sql"] for each in queries if "FOR" in each["sql"].split()]
    assert any(f'FROM "{table}"' in sql and " UPDATE" in sql for sql in locking)
