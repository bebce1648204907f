"""What the smaller services and forms keep to: one team, one job, a bound."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils.timezone import localdate, now
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs_app import services
from jobs_app.admin import FineTuningJobAdmin
from jobs_app.forms import HistoryForm, LaunchForm
from jobs_app.models import FineTuningJob, JobStatus, ListedModel, Price, ProviderPace
from jobs_app.provider_forms import ProviderForm
from jobs_app.providers import ProviderUnavailable
from jobs_app.services import comparing, estimates, model_ends
from jobs_app.services.backoff import MAX_SECONDS, try_again_at
from jobs_app.services.heartbeats import TICK, tick_seconds
from teams_app.models import AuditEntry, Role
from tests.factories import (
    chat_line,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def both():
    """A provider where one may launch, one where one may only review; and the user."""
    mine, theirs = make_provider(), make_provider()
    user = make_member(Role.LAUNCHER, mine.team)
    theirs.team.membership_set.create(user=user, role=Role.REVIEWER)
    return mine, theirs, user


def test_a_launch_offers_what_one_may_launch_with(both):
    mine, theirs, user = both
    ours = make_version(dataset=make_dataset(team=mine.team))
    make_version(dataset=make_dataset(team=theirs.team))

    fields: Any = LaunchForm(user=user).fields

    assert list(fields["provider"].queryset) == [mine]
    assert list(fields["version"].queryset) == [ours]


def test_the_history_offers_the_own_teams_filters(both):
    mine, theirs, user = both
    make_dataset(team=make_provider().team)

    fields: Any = HistoryForm(user=user).fields

    assert set(fields["provider"].queryset) == {mine, theirs}
    assert not fields["dataset"].queryset.exists()


def test_a_new_draft_begins_with_a_provider_that_one_may_use(both):
    mine, theirs, user = both
    type(theirs).objects.filter(pk=theirs.pk).update(kind="built_in")
    request = HttpRequest()
    request.user = user
    door = FineTuningJobAdmin(FineTuningJob, None)  # type: ignore[arg-type]

    assert door.get_changeform_initial_data(request)["provider"] == mine.pk


@pytest.mark.parametrize("key", ["sk-a b", "sk-é", "sk-a\x07b"])
def test_a_key_that_is_no_header_is_refused_by_the_form(key):
    assert "new_api_key" in ProviderForm({"new_api_key": key}).errors


def test_one_teams_price_book_does_not_keep_another_from_its_own():
    team = make_team()
    Price.objects.filter(team=team).delete()

    services.seed_prices(team)

    assert Price.objects.filter(team=team).exists()


@pytest.mark.parametrize("n_failures", [1, 20, 5000])
def test_no_wait_is_longer_than_the_longest(n_failures):
    until = try_again_at(n_failures, ProviderUnavailable("Silent."))
    assert now() < until <= now() + timedelta(seconds=MAX_SECONDS)


def test_a_first_failure_does_not_wait_as_long_as_the_last():
    until = try_again_at(1, ProviderUnavailable("Silent."))
    assert until < now() + timedelta(seconds=MAX_SECONDS / 10)


def test_a_provider_that_asks_for_more_time_gets_it():
    busy = ProviderUnavailable("Busy.", retry_after=7200.0)
    assert try_again_at(1, busy) > now() + timedelta(seconds=7000)


@pytest.fixture
def _counted(monkeypatch):
    kept = {"estimated_tokens": 9, "usd_per_million_tokens": Decimal(8)}
    found = SimpleNamespace(is_counted=True, as_fields=lambda: dict(kept))
    monkeypatch.setattr(estimates, "estimate_of", lambda _job: found)


def waiting_for_tokens(**overrides) -> FineTuningJob:
    fields = {"status": JobStatus.RUNNING, "launched_at": now(), **overrides}
    return make_job(**{"usd_per_million_tokens": Decimal(7), **fields})


def tokens_after_completing(job, provider) -> int | None:
    estimates.complete_estimates(provider)
    job.refresh_from_db()
    return job.estimated_tokens


@pytest.mark.usefixtures("_counted")
def test_an_estimate_that_came_late_keeps_the_price_of_the_launch():
    job = waiting_for_tokens()
    assert tokens_after_completing(job, job.provider)
    assert job.usd_per_million_tokens == 7


@pytest.mark.usefixtures("_counted")
def test_another_providers_jobs_are_not_completed():
    assert tokens_after_completing(waiting_for_tokens(), make_provider()) is None


@pytest.mark.usefixtures("_counted")
def test_a_job_that_was_over_long_ago_is_not_completed():
    over = {"status": JobStatus.FAILED, "finished_at": now() - timedelta(days=3)}
    job = waiting_for_tokens(**over)
    assert tokens_after_completing(job, job.provider) is None


@pytest.mark.usefixtures("_counted")
def test_an_estimate_that_is_there_is_not_made_anew():
    job = waiting_for_tokens(estimated_tokens=5)
    assert tokens_after_completing(job, job.provider) == 5


@pytest.mark.usefixtures("_counted")
def test_a_count_that_never_comes_does_not_hold_up_a_poll(monkeypatch):
    monkeypatch.setattr(estimates, "COMPLETED_AT_ONCE", 1)
    first = waiting_for_tokens()
    waiting_for_tokens(provider=first.provider)

    estimates.complete_estimates(first.provider)

    assert FineTuningJob.objects.filter(estimated_tokens=None).count() == 1


def test_an_end_that_another_provider_names_is_not_this_ones():
    one, other = make_provider(), make_provider()
    ListedModel.objects.create(provider=other, name="m", shutdown_date=localdate())
    assert model_ends.shutdown_of(one, "m") is None


def test_models_are_asked_for_only_where_there_is_a_key():
    make_provider(api_key="")
    assert model_ends.providers_to_list_models_of() == []


def test_a_few_providers_are_asked_in_one_tick(monkeypatch):
    monkeypatch.setattr(model_ends, "AT_ONCE", 1)
    make_provider(), make_provider()
    assert len(model_ends.providers_to_list_models_of()) == 1


def test_that_one_was_read_is_not_noted_of_another():
    one, other = make_provider(), make_provider()
    ProviderPace.objects.get_or_create(provider=other)

    model_ends._note(one, now())

    read = ProviderPace.objects.exclude(models_read_at=None)
    assert [pace.provider_id for pace in read] == [one.pk]


@pytest.mark.parametrize(("task", "enabled"), [(TICK, False), ("another", True)])
def test_only_the_tick_that_runs_is_the_tick(task, enabled):
    often = IntervalSchedule.objects.create(every=5, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.update(enabled=False)
    PeriodicTask.objects.create(name="it", task=task, interval=often, enabled=enabled)
    assert tick_seconds() == 0


def test_a_comparison_is_asked_for_one_job_and_noted():
    job, another = make_job(), make_job()

    services.request_comparison(job, by=make_member(Role.LAUNCHER, job.team))

    asked = FineTuningJob.objects.exclude(next_comparison_at=None)
    assert list(asked) == [job]
    assert AuditEntry.objects.get(verb="compared").team == job.team
    assert another.next_comparison_at is None


def test_the_end_of_one_comparison_does_not_end_another():
    job, another = make_job(), make_job(next_comparison_at=now())

    comparing.compare_one_held_out_row(job)

    another.refresh_from_db()
    assert another.next_comparison_at


def held_out(n_rows: int) -> FineTuningJob:
    rows = b"".join([chat_line(f"Question {n}?", str(n)) for n in range(n_rows)])
    version = make_version(validation=rows)
    return make_job(dataset_version=version)


def test_no_more_rows_are_asked_than_agreed():
    rows = list(comparing._held_out_rows(held_out(comparing.MAX_QUESTIONS + 3)))
    assert len(rows) == comparing.MAX_QUESTIONS


@pytest.mark.parametrize(("age", "seconds"), [(0, 60), (1200, 300), (10**6, 3600)])
def test_a_comparison_waits_a_minute_to_an_hour(age, seconds):
    job = make_job(finished_at=now() - timedelta(seconds=age))
    assert comparing._patience_seconds(job) == pytest.approx(seconds, abs=2)


def test_what_trainings_alone_know_is_sent_to_no_model():
    answer = {"role": "assistant", "content": "A", "weight": 0}
    call = {"role": "assistant", "tool_calls": []}
    user = {"role": "user", "content": "Q"}

    found = comparing._as_question([user, answer, user, answer, call])

    assert found == ([user, {"role": "assistant", "content": "A"}, user], "A")
