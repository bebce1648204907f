from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from datasets_app.models import CheckRun, Dataset, RunStatus
from datasets_app.services import checks
from datasets_app.services.checks.balance import is_balance_due
from tests.factories import make_dataset, make_example, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


def make_run(dataset: Dataset, **overrides: Any) -> CheckRun:
    values = {
        "status": RunStatus.FINISHED,
        "finished_at": now(),
        "n_rows": 100_000,
        "n_read": 1,
    }
    return CheckRun.objects.create(dataset=dataset, **{**values, **overrides})


def test_after_one_edit_of_many_rows_it_is_not_measured(dataset):
    make_run(dataset, balance={"n_rows": 1})
    assert not is_balance_due(make_run(dataset))


@pytest.mark.parametrize("run", [{"n_rows": 10}, {"n_read": 1_000}], ids=str)
def test_of_few_rows_and_after_many_changes_it_is_measured(dataset, run):
    make_run(dataset, balance={"n_rows": 1})
    assert is_balance_due(make_run(dataset, **run))


def test_changes_of_several_checks_add_up(dataset):
    make_run(dataset, balance={"n_rows": 1})
    make_run(dataset, n_read=600)
    assert is_balance_due(make_run(dataset, n_read=600))


def test_it_is_measured_when_a_person_asks(dataset):
    make_run(dataset, balance={"n_rows": 1})
    assert is_balance_due(make_run(dataset, created_by=make_user()))


def test_it_is_measured_when_the_report_is_old_or_there_is_none(dataset):
    assert is_balance_due(make_run(dataset))
    long_ago = now() - timedelta(hours=1)
    make_run(dataset, balance={"n_rows": 1}, finished_at=long_ago)
    assert is_balance_due(make_run(dataset))


def test_the_newest_report_is_kept_however_many_checks_follow(dataset, monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.running.KEPT_RUNS", 1)
    monkeypatch.setattr("datasets_app.services.checks.balance.SMALL_ROWS", 0)
    for _row in range(200):
        make_example(dataset=dataset)
    for _run in range(3):
        checks.run_check(checks.request_check(dataset))

    first, last = CheckRun.objects.order_by("pk")
    assert (bool(first.balance), bool(last.balance)) == (True, False)
