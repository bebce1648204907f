"""Work that a worker does for a person, piece by piece.

    pending → running → finished
                      ↘ failed, cancelled

A process that dies in the middle leaves a claim that goes stale; the next one goes on
after the last piece that was committed. `services.runs` has the verbs.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from teams_app.models import TeamScopedQuerySet

PATIENCE_SECONDS = 20  # a run that waits longer is waiting for a worker to be started


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
    # When the process at work began, and how far the run was then.
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    n_done_before = models.PositiveBigIntegerField(default=0, editable=False)
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
    def is_unheard(self) -> bool:
        """Has no worker taken the run up, though one would have by now?"""
        if self.status != RunStatus.PENDING:
            return False
        since = self.heartbeat_at or self.created_at
        return bool(now() - since > timedelta(seconds=PATIENCE_SECONDS))

    def work(self) -> tuple[int, int]:
        """How much is done, of how much."""
        return self.n_done, self.n_total

    @property
    def percent(self) -> int:
        n_done, n_total = self.work()
        if not n_total:
            return 0 if self.is_open else 100
        return min(100, n_done * 100 // n_total)

    @property
    def per_second(self) -> float:
        """How much of `n_total` the process at work does in a second; 0: not known."""
        if self.started_at is None or self.heartbeat_at is None:
            return 0.0
        seconds = (self.heartbeat_at - self.started_at).total_seconds()
        n_done = self.n_done - self.n_done_before
        return n_done / seconds if seconds > 0 and n_done > 0 else 0.0

    @property
    def time_left(self) -> timedelta | None:
        """At the speed so far; None: not known."""
        if self.status != RunStatus.RUNNING or not self.per_second:
            return None
        n_done, n_total = self.work()
        return timedelta(seconds=max(0, n_total - n_done) / self.per_second)
