"""What is stored of a provider, what it costs, and what it is about to end."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.utils.timezone import localdate, now

from jobs_app import services
from jobs_app.models import (
    JobStatus,
    ListedModel,
    Notice,
    Price,
    Provider,
    ProviderPace,
    count_in_minute,
    count_requests,
)
from jobs_app.services import model_ends, shutdowns
from jobs_app.services.prices import find_price, seed_prices
from teams_app import audit
from teams_app.models import AuditEntry
from tests.factories import make_job, make_provider, make_team

pytestmark = pytest.mark.django_db


class Broken(Exception):
    """The database fails at this very line."""


@pytest.fixture
def _no_log(monkeypatch):
    def broken(*_given: Any, **_named: Any) -> None:
        raise Broken

    monkeypatch.setattr(audit, "record", broken)


def entries(verb: str = "key_changed") -> int:
    return AuditEntry.objects.filter(verb=verb).count()


def test_a_name_that_was_given_is_known_at_once():
    job = make_job()
    services.name_deployment(job, "mine")
    assert job.deployment == "mine"


@pytest.mark.usefixtures("_no_log")
def test_a_key_is_not_changed_unseen():
    provider = make_provider()
    with pytest.raises(Broken):
        services.save_provider(provider, new_key="sk-new")
    assert Provider.objects.get().api_key == "sk-secret-of-the-team"


def test_a_provider_that_moves_nowhere_keeps_what_was_found_and_its_key():
    make_provider(base_url="https://elsewhere.example/v1")
    provider = make_provider(abilities={"pause": False}, checked_at=now())

    assert not services.save_provider(provider)
    assert (provider.abilities, entries()) == ({"pause": False}, 0)


def test_a_key_that_is_cleared_stands_in_the_log():
    provider = make_provider()
    provider.base_url = "https://elsewhere.example/v1"

    assert services.save_provider(provider)
    assert entries() == 1


def test_a_provider_without_a_key_has_none_to_clear():
    provider = make_provider(api_key="")
    assert not services.save_provider(provider)
    assert entries() == 0


def test_a_new_provider_has_nothing_to_forget():
    provider = Provider(team=make_team(), name="New", abilities={"pause": False})
    services.save_provider(provider)
    assert provider.abilities == {"pause": False}


@pytest.mark.parametrize("address", ["", "https://elsewhere.example/v1"])
def test_a_key_of_another_address_is_forgotten_with_any_change(address):
    provider = make_provider()
    Provider.objects.update(key_base_url=address)
    provider.refresh_from_db()

    provider.save()

    assert provider.api_key == ""


def test_a_key_for_another_address_is_not_stored_at_all():
    provider = make_provider(key_base_url="https://elsewhere.example/v1")
    assert provider.api_key == ""


def test_an_address_may_end_in_a_slash_or_not():
    assert make_provider(key_base_url="https://models.example/v1/").api_key


def test_a_name_that_cannot_be_given_is_not_logged(monkeypatch):
    job = make_job()

    def broken(**_named: Any) -> None:
        raise Broken

    monkeypatch.setattr(type(job).objects, "filter", broken)

    with pytest.raises(Broken):
        services.name_deployment(job, "mine")
    assert entries("changed") == 0


# How often it was asked -------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "n"), [(count_in_minute, 3), (count_requests, {"ok": 1})]
)
def test_a_busy_database_costs_a_count_and_no_work(count, n, caplog):
    def busy(*_given: Any) -> None:
        raise OperationalError("database is locked")

    provider = make_provider()
    with connection.execute_wrapper(busy):
        count(provider, n)

    assert "requests were not counted" in caplog.text


def test_what_is_asked_of_one_provider_is_counted_of_that_one():
    provider, other = make_provider(), make_provider()
    count_in_minute(other, 1)

    count_in_minute(provider, 2)

    counted = dict(ProviderPace.objects.values_list("provider", "n_requests"))
    assert counted == {provider.pk: 2, other.pk: 1}


def test_a_new_minute_begins_with_what_is_asked_in_it():
    provider, long_ago = make_provider(), now() - timedelta(hours=1)
    ProviderPace.objects.create(
        provider=provider, n_requests=9, minute_began_at=long_ago
    )

    count_in_minute(provider, 2)

    assert ProviderPace.objects.get().n_requests == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_what_was_never_counted_is_not_taken_away(is_known):
    provider = make_provider()
    if is_known:
        long_ago = now() - timedelta(hours=1)
        ProviderPace.objects.create(provider=provider, minute_began_at=long_ago)

    count_in_minute(provider, -5)

    assert ProviderPace.objects.get().n_requests == 0


# Prices -----------------------------------------------------------------------------


def price_of(team: Any, **fields: Any) -> Price:
    costs = {"base_model": "gpt-4o", "usd_per_million_tokens": 1, "as_of": "2026-01-01"}
    return Price.objects.create(team=team, **{**costs, **fields})


def test_a_price_is_of_one_team():
    provider = make_provider()
    Price(team=provider.team, provider=provider).clean()
    Price(provider=provider).clean()
    with pytest.raises(ValidationError, match="another team"):
        Price(team=make_team(), provider=provider).clean()


def test_each_team_begins_with_prices():
    one, other = make_team(), make_team()
    Price.objects.all().delete()
    price_of(one)

    seed_prices(one)
    seed_prices(other)

    assert Price.objects.filter(team=one).count() == 1
    assert Price.objects.filter(team=other).count() > 1


def test_a_model_costs_what_its_family_costs_and_no_other():
    provider = make_provider()
    price_of(provider.team, base_model="gpt-4o-mini")
    assert find_price(provider, "gpt-4o-2024-08-06") is None
    price = price_of(provider.team)
    assert find_price(provider, "gpt-4o-2024-08-06") == price


# Models that end --------------------------------------------------------------------


def test_what_has_ended_ends_in_no_days():
    today = localdate()
    ends = [model_ends.Shutdown("m", today + timedelta(days=n)) for n in (-3, 4)]
    assert [end.n_days for end in ends] == [0, 4]


def told(days: int = 20, name: str = "m", **job: Any) -> list[str]:
    """The keys of the notices about a model that ends so soon."""
    made = make_job(**{"base_model": name, "status": JobStatus.RUNNING, **job})
    on = localdate() + timedelta(days=days)
    ListedModel.objects.create(provider=made.provider, name=name, shutdown_date=on)
    shutdowns.tell_of_shutdowns()
    return list(Notice.objects.values_list("key", flat=True))


@pytest.mark.parametrize("job", [{"base_model": "x", "fine_tuned_model": "m"}, {}])
def test_who_uses_a_model_or_trains_on_it_hears_of_its_end(job):
    assert len(told(**job)) == 1


@pytest.mark.parametrize("job", [{"base_model": "x"}, {"status": JobStatus.FAILED}])
def test_who_does_not_hears_nothing(job):
    assert told(**job) == []


@pytest.mark.parametrize(("days", "end"), [(20, ": 30 days"), (7, ": 7 days")])
def test_a_month_before_is_told_apart_from_a_week_before(days, end):
    assert told(days)[0].endswith(end)


def test_the_longest_name_leaves_room_in_the_key():
    assert len(told(name="m" * 200)[0]) <= 200
