"""A team that is made, by whichever door, begins with a price book."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from jobs_app.services.prices import seed_prices
from teams_app.models import Team


@receiver(post_save, sender=Team)
def make_ready(instance: Team, created: bool, raw: bool, **_kwargs: Any) -> None:
    if created and not raw:
        seed_prices(instance)
