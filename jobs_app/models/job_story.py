"""What is known of a job besides its state: events, checkpoints, answers."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from teams_app.models import TeamScopedQuerySet

if TYPE_CHECKING:
    from jobs_app.models.jobs import FineTuningJob  # noqa: F401  (which imports this)

USER = settings.AUTH_USER_MODEL


class EventType(models.TextChoices):
    MESSAGE = "message", _("message")
    METRICS = "metrics", _("metrics")
    STATUS = "status", _("status")  # ours; the other two are the provider's


class JobEvent(models.Model):
    """One line of a job's story: ours, or the provider's stored once."""

    TEAM_PATH = "job__team"

    job = models.ForeignKey(
        "FineTuningJob", on_delete=models.CASCADE, related_name="events"
    )
    remote_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("time"), default=now)
    level = models.CharField(_("level"), max_length=10, default="info")
    # Open text: providers add types of their own.
    type = models.CharField(_("type"), max_length=40, default=EventType.MESSAGE)
    message = models.TextField(_("message"))
    data: Any = models.JSONField(default=dict, blank=True)
    # Whoever caused it; null: a worker or the provider.
    created_by = models.ForeignKey(
        USER,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    # The provider's id of the request that told of it, for its support.
    request_id = models.CharField(_("request id"), max_length=200, blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("created_at", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("job", "remote_id"),
                condition=~models.Q(remote_id=""),
                name="remote_event_once",
            )
        ]
        indexes = [models.Index(fields=("job", "type"), name="event_type")]

    def __str__(self) -> str:
        return self.message


class Checkpoint(models.Model):
    """Weights saved during a job, usable by name like a model."""

    TEAM_PATH = "job__team"

    job = models.ForeignKey(
        "FineTuningJob", on_delete=models.CASCADE, related_name="checkpoints"
    )
    remote_id = models.CharField(max_length=200)
    name = models.CharField(max_length=300)  # fine_tuned_model_checkpoint
    step_number = models.PositiveIntegerField()
    metrics: Any = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ("step_number",)
        constraints = [
            models.UniqueConstraint(fields=("job", "remote_id"), name="checkpoint_once")
        ]

    def __str__(self) -> str:
        return self.name


class HeldOutAnswer(models.Model):
    """A validation question, answered by the base model and by the tuned one."""

    TEAM_PATH = "job__team"

    job = models.ForeignKey(
        "FineTuningJob", on_delete=models.CASCADE, related_name="held_out_answers"
    )
    line_number = models.PositiveIntegerField()
    question = models.TextField()
    expected = models.TextField()
    base_answer = models.TextField(blank=True)
    tuned_answer = models.TextField(blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("held-out answer")
        verbose_name_plural = _("held-out answers")
        ordering = ("line_number",)
        constraints = [
            models.UniqueConstraint(
                fields=("job", "line_number"), name="held_out_question_once"
            )
        ]

    def __str__(self) -> str:
        return self.question
