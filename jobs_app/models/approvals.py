"""A launch that waits for a second person, and what that person decided."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from teams_app.models import TeamScopedQuerySet

USER = settings.AUTH_USER_MODEL


class Reason(models.TextChoices):
    """Why a launch needs a second person."""

    ALWAYS = "always", _("In this team a second person approves every launch.")
    LAUNCH_LIMIT = "launch_limit", _("It costs more than the limit for one launch.")
    MONTH_LIMIT = "month_limit", _("With it, the month costs more than its limit.")
    UNKNOWN_COST = (
        "unknown_cost",
        _("What it costs is not known, so it counts as above the limit."),
    )
    UNAPPROVED_ROWS = (
        "unapproved_rows",
        _("Rows went into the version that nobody had approved."),
    )
    CHANGED = "changed", _("What was approved has changed since, so it did not run.")
    AGAIN = (
        "again",
        _(
            "Whether the provider has it already is not clear, so launching it again "
            "may cost its price twice."
        ),
    )


class Approval(models.Model):
    """One request. `terms` is what was asked for: that, and nothing else, may run."""

    TEAM_PATH = "job__team"

    job = models.ForeignKey(
        "jobs_app.FineTuningJob", on_delete=models.CASCADE, related_name="approvals"
    )
    reasons: Any = models.JSONField(default=list)
    terms: Any = models.JSONField(default=dict)
    usd = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    requested_at = models.DateTimeField(default=now)
    requested_by = models.ForeignKey(
        USER, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        USER, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_approved = models.BooleanField(null=True)
    # The estimate when it was decided, which may differ: prices and counts change.
    decided_usd = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    comment = models.TextField(_("reason"), blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("job",), condition=Q(decided_at=None), name="one_open_request"
            ),
            # Whatever a door forgets to ask.
            models.CheckConstraint(
                condition=Q(decided_by=None)
                | Q(requested_by=None)
                | ~Q(decided_by=F("requested_by")),
                name="nobody_approves_their_own",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job}: {self.is_approved}"

    @property
    def reason_labels(self) -> list[str]:
        return [str(Reason(reason).label) for reason in self.reasons]
