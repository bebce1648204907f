"""The price book: what a new team begins with, and which price counts."""

from django.db.models import Q
from django.utils.timezone import localdate

from datasets_app.model_names import base_name, family
from jobs_app import kinds
from jobs_app.models import Price, Provider
from jobs_app.price_list import AS_OF, KNOWN_PRICES, SOURCE
from teams_app.models import Team


def seed_prices(team: Team) -> None:
    """Give a team prices to begin with; one that has any keeps what it made of them."""
    if Price.objects.filter(team=team).exists():
        return
    Price.objects.bulk_create(
        Price(
            team=team,
            provider_kind=kinds.OPENAI,
            base_model=known.base_model,
            source=SOURCE,
            as_of=AS_OF,
            note=known.note,
            **known.columns(),
        )
        for known in KNOWN_PRICES
    )


def find_price(provider: Provider, base_model: str) -> Price | None:
    """The provider's own price before that of its kind, the model's own before that of
    its family, and then the newest that has begun."""
    applying = Price.objects.filter(
        Q(provider=provider) | Q(provider=None, provider_kind__in=(provider.kind, "")),
        team=provider.team_id,
        as_of__lte=localdate(),
    )
    name = base_name(base_model)
    # Among other snapshots of the family, only a price for the whole family counts.
    fitting = [p for p in applying if p.base_model in (name, family(name))]
    return max(fitting, key=lambda price: _rank(price, name), default=None)


def _rank(price: Price, name: str) -> tuple[object, ...]:
    return (
        price.provider_id is not None,
        price.provider_kind != "",
        price.base_model == name,
        price.as_of,
        price.pk,
    )
