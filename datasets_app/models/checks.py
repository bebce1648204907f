"""What a check of a dataset looks at, and what it finds."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.fields import ExactJSONField
from datasets_app.models.datasets import Dataset
from datasets_app.models.examples import Example
from datasets_app.models.runs import Run, RunStatus
from teams_app.models import TeamScopedQuerySet


class CheckRun(Run):
    """One check of a dataset as it is now. The newest one's report is shown."""

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="check_runs"
    )
    balance: Any = ExactJSONField(default=dict, editable=False)
    # {code: {"n": how many there were in the end, "first": keys of the first few}}
    summary: Any = ExactJSONField(default=dict, editable=False)
    n_rows = models.PositiveIntegerField(default=0, editable=False)
    n_read = models.PositiveIntegerField(default=0, editable=False)  # new or changed

    class Meta(Run.Meta):
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        constraints = [
            # One waits, whatever happens meanwhile; and one works at a time.
            models.UniqueConstraint(
                fields=("dataset",),
                condition=models.Q(status=RunStatus.PENDING),
                name="one_waiting_check",
            ),
            models.UniqueConstraint(
                fields=("dataset",),
                condition=models.Q(status=RunStatus.RUNNING),
                name="one_running_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset}: {self.status}"


class Severity(models.TextChoices):
    ERROR = "error", _("will be refused")
    WARNING = "warning", _("spoils the training")
    NOTE = "note", _("worth a look")


class Finding(models.Model):
    """Something a check found in one example, or (without one) in the whole dataset.

    Messages are counted from 1. `other` is the example it is too much like.
    """

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, db_index=False, related_name="findings"
    )
    example = models.ForeignKey(
        Example, null=True, on_delete=models.CASCADE, related_name="findings"
    )
    other = models.ForeignKey(
        Example, null=True, on_delete=models.CASCADE, related_name="+"
    )
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=Severity)
    message_index = models.PositiveIntegerField(null=True)
    params: Any = ExactJSONField(default=dict)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ("pk",)
        indexes = [
            models.Index(fields=("dataset", "code", "example"), name="finding_code")
        ]

    def __str__(self) -> str:
        return f"{self.code} in {self.example_id}"


class ExampleFeatures(models.Model):
    """What the checks work with, so that a row is read again only when it changed.

    Lengths are in characters. Hashes are the first 16 hex digits of a SHA-256; see
    `checks.features`. Rows that are nearly the same share a `near_group`, the lowest
    key among them.
    """

    example = models.OneToOneField(
        Example, primary_key=True, on_delete=models.CASCADE, related_name="features"
    )
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, db_index=False)
    content_hash = models.CharField(max_length=64)  # of the row that was read
    prompt_hash = models.CharField(max_length=16)
    answer_hash = models.CharField(max_length=16)
    system_hash = models.CharField(max_length=16, blank=True)
    min_hashes = models.BinaryField()
    prompt_language = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=10, blank=True)  # of the answer
    n_turns = models.PositiveIntegerField()
    prompt_length = models.PositiveIntegerField()
    answer_length = models.PositiveIntegerField()
    answer_start = models.CharField(max_length=100)  # its first three words
    near_group = models.PositiveBigIntegerField(null=True)
    is_compared = models.BooleanField(default=False)  # with all others
    checks_version = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("features of an example")
        indexes = [
            models.Index(
                fields=("dataset", "prompt_hash", "answer_hash"), name="feature_prompt"
            ),
            models.Index(
                fields=("dataset", "near_group"),
                condition=models.Q(near_group__isnull=False),
                name="feature_group",
            ),
            models.Index(
                fields=("dataset",),
                condition=models.Q(is_compared=False),
                name="feature_uncompared",
            ),
        ]

    def __str__(self) -> str:
        return f"features of {self.example_id}"
