"""Work that a worker does for a person, piece by piece.

    pending → running → finished
                      ↘ failed, cancelled

A process that dies in the middle leaves a claim that goes stale; the next one goes on
after the last piece that was committed. `services.runs` has the verbs.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from teams_app.models import TeamScopedQuerySet


class RunStatus(models.TextChoices):
    DRAFT = "draft", _("not started")  # somebody is still choosing
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Run(models.Model):
    """One piece of work for a worker. `n_done` of `n_total` say how far it is."""

    status = models.CharField(
        _("status"), max_length=10, choices=RunStatus, default=RunStatus.PENDING
    )
    n_total = models.PositiveBigIntegerField(default=0, editable=False)
    n_done = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    # Names the one process that may go on with the run.
    claim = models.UUIDField(null=True, editable=False)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-pk",)

    @property
    def is_open(self) -> bool:
        return self.status in (RunStatus.PENDING, RunStatus.RUNNING)

    @property
    def percent(self) -> int:
        if not self.n_total:
            return 0 if self.is_open else 100
        return min(100, self.n_done * 100 // self.n_total)
