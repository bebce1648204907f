"""Compatibility checks: what a provider really does, tried with a tiny file."""

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.models import Run, RunStatus
from jobs_app.models.providers import Provider


class StepResult(models.TextChoices):
    WORKS = "works", _("works")
    FAILS = "fails", _("does not work")
    UNCLEAR = "unclear", _("not clear")
    LEFT_OUT = "left_out", _("left out")


class ProviderCheck(Run):
    """One walk through a provider's API. `n_done` of `n_total` steps are behind it.

    What it makes there is noted in `memory` and carries `key` in its name, so whoever
    goes on after a kill finds it again, and the last step takes it away.
    """

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(
        Provider,
        on_delete=models.CASCADE,
        related_name="checks",
        verbose_name=_("provider"),
    )
    base_url = models.CharField(_("base URL"), max_length=500, editable=False)
    base_model = models.CharField(_("base model"), max_length=200, blank=True)
    # May it make a job and ask a model where that costs money?
    may_cost = models.BooleanField(_("may cost money"), default=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # [{step, result, words, found: {ability: bool}, request_id}], in order.
    results: Any = models.JSONField(default=list, editable=False)
    # What the steps tell each other: ids at the provider, tries.
    memory: Any = models.JSONField(default=dict, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, editable=False)

    class Meta(Run.Meta):
        verbose_name = _("compatibility check")
        verbose_name_plural = _("compatibility checks")
        constraints = [
            models.UniqueConstraint(
                fields=("provider",),
                condition=models.Q(status__in=(RunStatus.PENDING, RunStatus.RUNNING)),
                name="one_open_check_per_provider",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.created_at:%Y-%m-%d}"
