"""Fine-tuning jobs.

A job's status moves only through `FineTuningJob.move_to`:

    draft → pending → submitting → (the provider's words) → succeeded, failed, cancelled
          ↘ awaiting_approval → pending, declined
    submitting → unsure → whatever a person decides
"""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from datasets_app.models import DatasetVersion
from jobs_app.hyperparameters import (
    check_enough_rows,
    check_hyperparameters,
    check_seed,
    check_suffix,
)
from jobs_app.models.job_notices import tell_of_move
from jobs_app.models.job_story import EventType
from jobs_app.models.prices import usd
from jobs_app.models.providers import Provider
from teams_app.models import Team, TeamScopedQuerySet, User

USER = settings.AUTH_USER_MODEL


class JobStatus(models.TextChoices):
    DRAFT = "draft", _("draft")  # being edited in the admin
    AWAITING_APPROVAL = "awaiting_approval", _("awaiting approval")
    DECLINED = "declined", _("declined")  # by the second person; never runs
    PENDING = "pending", _("pending")  # launched; waiting for a worker
    SUBMITTING = "submitting", _("submitting")  # a worker is talking to the provider
    UNSURE = "unsure", _("needs a decision")  # does the provider have it, and which?
    VALIDATING_FILES = "validating_files", _("validating files")  # provider's words
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


S = JobStatus
AT_PROVIDER = {S.VALIDATING_FILES, S.QUEUED, S.RUNNING, S.PAUSED}
FINISHED = {S.SUCCEEDED, S.FAILED, S.CANCELLED}
# Its money will be spent, or may be.
COMMITTED = {S.PENDING, S.SUBMITTING, S.UNSURE} | AT_PROVIDER
OPEN = COMMITTED | {S.AWAITING_APPROVAL}
OVER = FINISHED | {S.DECLINED}
# Polls may miss steps, so at the provider any status may follow any other.
MAY_BECOME: dict[str, set[JobStatus]] = {
    S.DRAFT: {S.PENDING, S.AWAITING_APPROVAL},
    S.AWAITING_APPROVAL: {S.PENDING, S.DECLINED, S.CANCELLED, S.UNSURE, S.QUEUED},
    S.PENDING: {S.SUBMITTING, S.CANCELLED},
    S.SUBMITTING: {S.PENDING, S.UNSURE, S.AWAITING_APPROVAL} | AT_PROVIDER | FINISHED,
    S.UNSURE: {S.PENDING, S.QUEUED, S.CANCELLED, S.AWAITING_APPROVAL},
    **dict.fromkeys(AT_PROVIDER, AT_PROVIDER | FINISHED),
}


class IllegalTransition(Exception):
    """MAY_BECOME has no such step."""


class FineTuningJob(models.Model):
    """One run of a provider's fine-tuning API on one frozen dataset version."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, verbose_name=_("provider")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion,
        on_delete=models.PROTECT,
        related_name="jobs",
        verbose_name=_("dataset version"),
    )
    base_model = models.CharField(_("base model"), max_length=200)
    suffix = models.CharField(
        _("suffix"), max_length=64, blank=True, validators=[check_suffix]
    )
    seed = models.PositiveIntegerField(
        _("seed"), null=True, blank=True, validators=[check_seed]
    )
    hyperparameters: Any = models.JSONField(
        _("hyperparameters"), default=dict, blank=True
    )
    status = models.CharField(
        _("status"), max_length=20, choices=JobStatus, default=JobStatus.DRAFT
    )
    status_changed_at = models.DateTimeField(default=now, editable=False)
    launch_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    remote_id = models.CharField(
        _("id at the provider"), max_length=200, blank=True, editable=False
    )
    # The provider's own word for the state: `status` knows only the usual ones.
    remote_status = models.CharField(
        _("state at the provider"), max_length=40, blank=True, editable=False
    )
    # Ids of the files with the figures, which the provider writes at the end.
    result_files: Any = models.JSONField(default=list, blank=True, editable=False)
    # Noted before the request to create it leaves: from then on, until the provider
    # says no, it may have the job, and only looking tells. Then the id follows.
    create_sent_at = models.DateTimeField(null=True, editable=False)
    # Until when the worker that submits it has it to itself; see services.claiming.
    claimed_until = models.DateTimeField(null=True, editable=False)
    sent_training_file = models.CharField(max_length=200, blank=True, editable=False)
    # While nobody can be sure: the jobs there that may be this one.
    candidates: Any = models.JSONField(default=list, blank=True, editable=False)
    fine_tuned_model = models.CharField(
        _("fine-tuned model"), max_length=300, blank=True, editable=False
    )
    # The name under which a person deployed it, where models answer only then.
    deployment = models.CharField(
        _("deployment"), max_length=200, blank=True, editable=False
    )
    # What the provider made of "auto", once it tells.
    resolved_hyperparameters: Any = models.JSONField(
        _("hyperparameters used"), default=dict, blank=True, editable=False
    )
    trained_tokens = models.PositiveBigIntegerField(
        _("trained tokens"), null=True, editable=False
    )
    # What the job was expected to cost when it was launched; see services.estimates.
    estimated_epochs = models.PositiveSmallIntegerField(
        _("epochs expected"), null=True, editable=False
    )
    estimated_tokens = models.PositiveBigIntegerField(
        _("estimated tokens"), null=True, editable=False
    )
    usd_per_million_tokens = models.DecimalField(
        _("USD per million training tokens"),
        max_digits=12,
        decimal_places=4,
        null=True,
        editable=False,
    )
    estimated_finish_at = models.DateTimeField(null=True, editable=False)
    error: Any = models.JSONField(_("error"), default=dict, blank=True, editable=False)

    last_polled_at = models.DateTimeField(null=True, editable=False)  # and answered
    # When a worker should next submit or poll it; null: nothing is left to do.
    next_poll_at = models.DateTimeField(null=True, default=now, editable=False)
    # Did the provider's list show it? If not, it is asked about singly.
    is_listed = models.BooleanField(default=True, editable=False)
    # When to read its events, checkpoints and figures; null: once it has moved.
    next_reading_at = models.DateTimeField(null=True, editable=False)
    n_reading_failures = models.PositiveIntegerField(default=0, editable=False)
    n_poll_failures = models.PositiveIntegerField(default=0, editable=False)
    # Why the last attempt to reach the provider failed; empty after one that did not.
    poll_problem = models.TextField(_("poll problem"), blank=True, editable=False)
    # A launch that waits for its time; the tick finds it then.
    scheduled_for = models.DateTimeField(_("to be launched"), null=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    cancel_requested_by = models.ForeignKey(
        USER, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # When base and tuned model should next be compared on the validation rows.
    next_comparison_at = models.DateTimeField(null=True, editable=False)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("fine-tuning job")
        verbose_name_plural = _("fine-tuning jobs")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=("next_poll_at",), name="job_due"),
            models.Index(fields=("next_reading_at",), name="job_reading_due"),
            models.Index(fields=("provider", "remote_id"), name="job_at_provider"),
            models.Index(fields=("next_comparison_at",), name="job_comparison_due"),
            models.Index(fields=("team", "-id"), name="job_history"),
            models.Index(fields=("team", "launched_at"), name="job_money"),
            models.Index(fields=("team", "status"), name="job_team_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "remote_id"),
                condition=~models.Q(remote_id=""),
                name="one_job_per_remote_job",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.dataset_version} · {self.base_model}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def may_be_there(self) -> bool:
        """Was it sent, and nobody can tell what became of it? Then a person decides,
        and where that needs a second one, it waits for that one undecided."""
        waits = self.status in {JobStatus.UNSURE, JobStatus.AWAITING_APPROVAL}
        return waits and self.create_sent_at is not None

    @property
    def is_for_later(self) -> bool:
        """Launched, but to be sent at a time that has not come."""
        waits = self.status in {JobStatus.PENDING, JobStatus.AWAITING_APPROVAL}
        return waits and self.scheduled_for is not None and self.scheduled_for > now()

    @property
    def due_at(self) -> datetime:
        """When a launch sends it: at its time, or at once."""
        return max(self.scheduled_for or now(), now())

    @property
    def is_followed(self) -> bool:
        """Open, or its last lines are still to be read."""
        return self.is_open or self.next_reading_at is not None

    @property
    def answering_model(self) -> str:
        """What to ask for: the deployment, where the model needs one."""
        return self.deployment or self.fine_tuned_model

    @property
    def estimated_usd(self) -> Decimal | None:
        return usd(self.estimated_tokens, self.usd_per_million_tokens)

    @property
    def trained_usd(self) -> Decimal | None:
        """What the tokens that were trained cost at the price of the launch."""
        return usd(self.trained_tokens, self.usd_per_million_tokens)

    @property
    def percent_off(self) -> float | None:
        """How much more (or, below 0, less) was trained than had been estimated."""
        if self.trained_tokens is None or not self.estimated_tokens:
            return None
        return (self.trained_tokens / self.estimated_tokens - 1) * 100

    @property
    def percent_below(self) -> float | None:
        return None if self.percent_off is None else -self.percent_off

    @property
    def is_as_estimated(self) -> bool:
        """No difference that a page would show."""
        return self.percent_off is not None and abs(self.percent_off) < 0.05

    def clean(self) -> None:
        """One team owns all of a job, and the version is long enough to train on."""
        try:  # no field validator, for those never see an empty list or null
            check_hyperparameters(self.hyperparameters)
        except ValidationError as exc:
            raise ValidationError({"hyperparameters": exc}) from exc
        if self.dataset_version_id and self.provider_id:
            if self.dataset_version.dataset.team_id != self.provider.team_id:
                raise ValidationError(
                    _("The dataset version and the provider belong to different teams.")
                )
            check_enough_rows(self.dataset_version.n_training_rows)

    def move_to(
        self,
        status: str,
        note: str = "",
        *,
        by: User | None = None,
        request_id: str = "",
        **fields: Any,
    ) -> bool:
        """Change status and log one event, unless another process moved the job first.

        The UPDATE names the status this process last read, and since when, so of two
        workers only one matches a row; the other gets False and must stop.

        Args:
            by: the person who caused it; None: a worker or the provider did.
            request_id: the provider's id of the answer that told of it.

        Raises:
            IllegalTransition: MAY_BECOME has no such step.
        """
        old = self.status
        if status not in MAY_BECOME.get(old, ()):
            raise IllegalTransition(f"{old} cannot become {status}")
        with transaction.atomic():
            unmoved = FineTuningJob.objects.filter(
                pk=self.pk, status=old, status_changed_at=self.status_changed_at
            )
            if not unmoved.update(status=status, status_changed_at=now(), **fields):
                return False
            who = f"by {by.get_username()}" if by else ""
            self.events.create(
                type=EventType.STATUS,
                message=" ".join(filter(None, (f"{old} → {status}", who, note))),
                data={"from": old, "to": status, "note": note},
                created_by=by,
                request_id=request_id,
            )
            tell_of_move(self, old, status)
        self.refresh_from_db()
        return True

    move_to.alters_data = True  # type: ignore[attr-defined]
