from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.timezone import localdate

from datasets_app.model_names import best_name, family
from jobs_app.models import Price, usd
from jobs_app.new_teams import make_ready
from jobs_app.services import find_price, seed_prices
from teams_app.models import Role
from tests.factories import make_member, make_provider, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def openai():
    return make_provider(kind="openai")


def make_price(at, training, **overrides):
    return Price.objects.create(
        **{
            "team": at.team,
            "provider_kind": at.kind,
            "base_model": "gpt-4o",
            "usd_per_million_tokens": training,
            "as_of": localdate(),
            **overrides,
        }
    )


def price_at(provider, model="gpt-4o-2024-08-06"):
    found = find_price(provider, model)
    return found and found.usd_per_million_tokens


def test_a_new_teams_book_has_openais_prices(openai):
    assert price_at(openai) == 25
    assert price_at(openai, "gpt-4o-mini-2024-07-18") == 3
    assert "mirror" in Price.objects.filter(team=openai.team)[0].source


def test_what_a_team_made_of_its_book_stays(openai):
    Price.objects.exclude(base_model="gpt-4o").delete()
    Price.objects.update(usd_per_million_tokens=1)

    seed_prices(openai.team)

    assert Price.objects.get(team=openai.team).usd_per_million_tokens == 1


@pytest.mark.parametrize("kind", ["azure", "compatible"])
def test_openais_prices_are_no_other_providers(kind):
    assert price_at(make_provider(kind=kind)) is None


def test_the_newest_price_counts_and_the_old_one_stays(openai):
    make_price(openai, 30)

    assert price_at(openai) == 30
    assert Price.objects.filter(team=openai.team, base_model="gpt-4o").count() == 2


def test_a_price_counts_from_its_day_on(openai):
    make_price(openai, 30, as_of=localdate() + timedelta(days=1))

    assert price_at(openai) == 25


def test_the_providers_own_price_comes_before_that_of_its_kind(openai):
    make_price(openai, 20, provider=openai, as_of=localdate() - timedelta(days=900))

    assert price_at(openai) == 20
    assert price_at(make_provider(kind=openai.kind, team=openai.team)) == 25


def test_a_price_of_any_kind_comes_last(openai):
    make_price(openai, 1, provider_kind="")

    assert price_at(openai) == 25
    assert price_at(make_provider(team=openai.team)) == 1


def test_the_price_of_one_snapshot_is_not_that_of_another(openai):
    make_price(openai, 40, base_model="gpt-4o-2024-11-20")

    assert price_at(openai, "gpt-4o-2024-11-20") == 40
    assert price_at(openai, "gpt-4o-2024-08-06") == 25


def test_another_teams_prices_are_not_asked(openai):
    other = make_provider(kind="openai", team=make_team())
    make_price(other, 1)

    assert price_at(openai) == 25


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("ft:gpt-4o-mini-2024-07-18:org:suffix:id", "gpt-4o-mini"),
        ("gpt-4.1-2025-04-14.ft-0a1b-suffix", "gpt-4.1"),
        ("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct"),
        ("babbage-002", "babbage-002"),
    ],
)
def test_a_models_family_has_no_date(name, expected):
    assert family(name) == expected


def test_a_model_without_its_date_is_its_newest_snapshot():
    names = ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini-2024-07-18"]

    assert best_name("gpt-4o", names) == "gpt-4o-2024-11-20"
    assert best_name("gpt-5", names) is None


def test_money_is_not_rounded_on_the_way():
    assert usd(1_234_567, Decimal("0.46")) == Decimal("0.5679")
    assert usd(None, Decimal(1)) is None
    assert usd(1, None) is None


def test_a_price_takes_no_provider_of_another_team(openai):
    price = Price(team=make_team(), provider=openai, base_model="m", as_of=localdate())

    with pytest.raises(ValidationError, match="another team"):
        price.clean()


@pytest.mark.parametrize(("role", "status"), [(Role.LAUNCHER, 403), (Role.OWNER, 200)])
def test_only_owners_keep_the_book(client, openai, role, status):
    client.force_login(make_member(role, openai.team))

    assert client.get(reverse("admin:jobs_app_price_add")).status_code == status


def test_a_price_below_nothing_is_refused(client, openai):
    client.force_login(make_member(Role.OWNER, openai.team))
    row = {"team": openai.team.pk, "base_model": "m", "as_of": "2026-01-01"}

    answer = client.post(
        reverse("admin:jobs_app_price_add"), {**row, "usd_per_million_tokens": "-1"}
    )

    assert "greater than or equal to 0" in answer.content.decode()


def test_a_price_book_that_was_emptied_stays_empty_when_its_team_is_renamed():
    team = make_team()
    Price.objects.all().delete()

    team.save()
    make_ready(instance=team, created=True, raw=True)  # as a fixture is loaded

    assert not Price.objects.exists()
