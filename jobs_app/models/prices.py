"""What training costs: a team's own price book, dated."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs_app import kinds
from jobs_app.models.providers import Provider
from teams_app.models import Team, TeamScopedQuerySet

MILLION = 1_000_000
CENTS = Decimal("0.0001")  # a small training costs less than a cent


def usd(n_tokens: int | None, per_million: Decimal | None) -> Decimal | None:
    """What so many tokens cost; None where either is unknown."""
    if n_tokens is None or per_million is None:
        return None
    return (n_tokens * per_million / MILLION).quantize(CENTS)


def _price(label: Any, **options: Any) -> Any:
    return models.DecimalField(
        label,
        max_digits=12,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        **options,
    )


class Price(models.Model):
    """What a model costs from a day on, at one provider or at all of a kind.

    A newer price leaves the older ones as they are: they tell what was paid when.
    """

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    provider_kind = models.CharField(
        _("kind of provider"),
        max_length=20,
        choices=kinds.choices,
        blank=True,
        help_text=_("Empty: of any kind."),
    )
    provider = models.ForeignKey(
        Provider,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        verbose_name=_("provider"),
        help_text=_("Only if the price is that of one provider alone."),
    )
    base_model = models.CharField(
        _("base model"),
        max_length=200,
        help_text=_("With or without the date in its name: gpt-4o counts for all."),
    )
    usd_per_million_tokens = _price(_("USD per million training tokens"))
    usd_per_million_input = _price(_("input"), null=True, blank=True)
    usd_per_million_cached_input = _price(_("cached input"), null=True, blank=True)
    usd_per_million_output = _price(_("output"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    as_of = models.DateField(_("from"), help_text=_("The newest one counts."))
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("price book")
        ordering = ("base_model", "-as_of", "-pk")

    def __str__(self) -> str:
        return f"{self.base_model}: {self.usd_per_million_tokens} USD"

    def clean(self) -> None:
        """One team owns the price and its provider."""
        provider = self.provider
        if provider is not None and self.team_id and provider.team_id != self.team_id:
            raise ValidationError(
                {"provider": _("This provider belongs to another team.")}
            )
