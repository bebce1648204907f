"""The training runs that clients asked for, and the lines of their logs."""

import re
from typing import Any

from django.db import models, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from tuning_server_app import ids
from tuning_server_app.models.device_uses import note_end_of_use, note_use
from tuning_server_app.models.organizations import ApiKey, Organization
from tuning_server_app.models.webhooks import note_end


class JobStatus(models.TextChoices):
    VALIDATING_FILES = "validating_files", _("checking files")
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


S = JobStatus
FINISHED = {S.SUCCEEDED, S.FAILED, S.CANCELLED}
MAY_BECOME: dict[str, set[JobStatus]] = {
    S.VALIDATING_FILES: {S.QUEUED, S.FAILED, S.CANCELLED},
    S.QUEUED: {S.RUNNING, S.PAUSED, S.FAILED, S.CANCELLED},
    # back to queued: its trainer died, and another one goes on
    S.RUNNING: {S.QUEUED, S.PAUSED} | FINISHED,
    S.PAUSED: {S.QUEUED, S.CANCELLED},
}


class Method(models.TextChoices):
    SUPERVISED = "supervised", _("supervised")
    DPO = "dpo", _("preferences (DPO)")


# A name is part of addresses, and colons separate its parts.
UNFIT_IN_NAMES = re.compile(r"[^\w.-]+")


class IllegalTransition(Exception):
    """MAY_BECOME has no such step."""


class EventLevel(models.TextChoices):
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class TuningJob(models.Model):
    """One training run that a client asked for; the table is the queue.

    A trainer owns a running job as long as `claim` is its own; it beats
    `heartbeat_at`, and a job whose heart stands still is queued again.

    A pause of a running job is a wish first: `pause_requested_at` is set, the status
    stays. Its trainer sees the wish, saves what the run needs to go on, and calls
    `services.pausing.stand_still`; that makes the job paused and frees the device.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, verbose_name=_("organization")
    )
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True)
    wire_id = models.CharField(_("id"), max_length=40, unique=True, default=ids.job_id)
    status = models.CharField(
        _("status"), max_length=20, choices=JobStatus, default=S.VALIDATING_FILES
    )
    # A base model's name, or one of the organization's tuned models; never an alias.
    model = models.CharField(_("model"), max_length=300)
    base_model = models.CharField(max_length=150)
    # Ids, not foreign keys: a job goes on naming a file that was deleted.
    training_file = models.CharField(max_length=40)
    validation_file = models.CharField(max_length=40, blank=True)
    result_files = models.JSONField(default=list)
    method = models.CharField(
        _("method"), max_length=20, choices=Method, default=Method.SUPERVISED
    )
    hyperparameters = models.JSONField()
    resolved_hyperparameters = models.JSONField(null=True)
    seed = models.BigIntegerField()
    suffix = models.CharField(max_length=64, blank=True)
    metadata = models.JSONField(null=True)
    fine_tuned_model = models.CharField(_("tuned model"), max_length=300, blank=True)
    trained_tokens = models.BigIntegerField(null=True)
    error = models.JSONField(_("error"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    estimated_finish_at = models.DateTimeField(null=True)
    pause_requested_at = models.DateTimeField(null=True)
    # Two ways to recognise that a request is the repeat of an earlier one.
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64)
    # How many trainers took the job, and how many of them were lost at work: a pause or
    # a stopped server is no loss.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    n_lost = models.PositiveSmallIntegerField(_("lost trainers"), default=0)
    claim = models.UUIDField(null=True)
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("tuning job")
        verbose_name_plural = _("tuning jobs")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "idempotency_key"),
                name="one_job_per_idempotency_key",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=JobStatus.values),
                name="tuning_job_status_known",
            ),
        ]
        indexes = [models.Index(fields=("status",), name="tuning_job_by_status")]

    def __str__(self) -> str:
        return self.wire_id

    @property
    def model_prefix(self) -> str:
        """`ft:base:organization:suffix:id`; the same at every attempt."""
        suffix = UNFIT_IN_NAMES.sub("-", self.suffix)
        organization = self.organization.slug
        return f"ft:{self.base_model}:{organization}:{suffix}:{self.wire_id[-8:]}"

    def move_to(
        self,
        status: JobStatus,
        message: str,
        level: EventLevel = EventLevel.INFO,
        **fields: Any,
    ) -> bool:
        """Change status and log one event, unless another process moved the job first.

        The UPDATE names the status and the claim this process last read, so of two
        only one matches a row; the other gets False and must stop.

        Raises:
            IllegalTransition: MAY_BECOME has no such step.
        """
        old = self.status
        if status not in MAY_BECOME.get(old, ()):
            raise IllegalTransition(f"{self} is {old} and cannot become {status}")
        if status != S.RUNNING:
            fields |= {"pause_requested_at": None, "estimated_finish_at": None}
        if status in FINISHED:
            fields["finished_at"] = now()
        with transaction.atomic():
            unmoved = TuningJob.objects.filter(pk=self.pk, status=old, claim=self.claim)
            if not unmoved.update(status=status, **fields):
                return False
            self.events.create(message=message, level=level)
            self.refresh_from_db()
            if status == S.RUNNING:
                note_use(self)
            if old == S.RUNNING:
                note_end_of_use(self)
            if status in FINISHED:
                note_end(self, status)
        return True


class EventKind(models.TextChoices):
    MESSAGE = "message"
    METRICS = "metrics"


class JobEvent(models.Model):
    """A line of a job's log; metrics come as `data` of one event per step."""

    job = models.ForeignKey(TuningJob, on_delete=models.CASCADE, related_name="events")
    wire_id = models.CharField(max_length=40, unique=True, default=ids.event_id)
    level = models.CharField(max_length=5, choices=EventLevel, default=EventLevel.INFO)
    kind = models.CharField(max_length=10, choices=EventKind, default=EventKind.MESSAGE)
    message = models.TextField()
    data = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.message
