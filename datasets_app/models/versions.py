"""Frozen copies of datasets, and which row stands where in them."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.chat_format import MINIMUM_ROWS
from datasets_app.frozen import FrozenModel
from datasets_app.models.datasets import Dataset
from datasets_app.models.examples import Example, Split
from datasets_app.models.runs import Run


def version_path(_version: models.Model, _file_name: str) -> str:
    return f"versions/{uuid.uuid4().hex}.jsonl"


class DatasetVersion(FrozenModel):
    """A frozen copy of a dataset: the exact bytes that are uploaded. Never changes."""

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.PROTECT,
        related_name="versions",
        verbose_name=_("dataset"),
    )
    number = models.PositiveIntegerField(_("version"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    approved_only = models.BooleanField(_("approved rows only"), default=False)
    # Did a row go in that nobody had approved? True where nobody looked.
    has_unapproved_rows = models.BooleanField(default=True, editable=False)
    training_file = models.FileField(upload_to=version_path)
    training_sha256 = models.CharField("SHA-256", max_length=64)
    n_training_rows = models.PositiveIntegerField(_("training rows"))
    n_training_tokens = models.PositiveBigIntegerField(_("training tokens"))
    validation_file = models.FileField(upload_to=version_path, blank=True)
    validation_sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    n_validation_rows = models.PositiveIntegerField(_("validation rows"), default=0)
    n_validation_tokens = models.PositiveBigIntegerField(
        _("validation tokens"), default=0
    )
    created_at = models.DateTimeField(_("frozen"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("dataset version")
        verbose_name_plural = _("dataset versions")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("dataset", "number"), name="version_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    @property
    def n_rows(self) -> int:
        return self.n_training_rows + self.n_validation_rows

    @property
    def is_below_minimum(self) -> bool:
        """OpenAI and others refuse a training file this small."""
        return self.n_training_rows < MINIMUM_ROWS

    def first_with_same_content(self) -> "DatasetVersion | None":
        """The dataset's first earlier version with these very bytes, if any."""
        return DatasetVersion.objects.filter(
            dataset=self.dataset_id,
            number__lt=self.number,
            training_sha256=self.training_sha256,
            validation_sha256=self.validation_sha256,
        ).last()

    def file_of(self, split: str) -> Any:
        is_train = split == Split.TRAIN
        return self.training_file if is_train else self.validation_file

    def sha256_of(self, split: str) -> str:
        is_train = split == Split.TRAIN
        return self.training_sha256 if is_train else self.validation_sha256


class VersionRow(FrozenModel):
    """Which example stands on which line of a version, and what it said then.

    `offset` is where the line begins in its file, in bytes.
    """

    TEAM_PATH = "version__dataset__team"

    # Stored with its version in one transaction: PostgreSQL need not look for that at
    # every row, which takes as long as all its indexes.
    version = models.ForeignKey(
        DatasetVersion,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="rows",
    )
    split = models.CharField(max_length=10, choices=Split)
    line_number = models.PositiveIntegerField()
    offset = models.PositiveBigIntegerField()
    # A manifest outlives what it tells of: the id of an example deleted for good stays,
    # and says even then which rows of two versions are the same one. Null: not known.
    example = models.ForeignKey(
        Example,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="version_rows",
    )
    content_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("version row")
        verbose_name_plural = _("version rows")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "split", "line_number"), name="version_line_once"
            )
        ]
        indexes = [models.Index(fields=("example", "version"), name="version_example")]

    def __str__(self) -> str:
        return f"{self.version} {self.split} line {self.line_number}"


class FreezeFailure(models.TextChoices):
    """Why nothing was frozen: what happened, and what to do."""

    NOTHING = (
        "nothing",
        _(
            "No training row is valid and not rejected. Import rows first, or mend "
            "those that have problems."
        ),
    )
    NOTHING_APPROVED = (
        "nothing_approved",
        _(
            "No training row is valid and approved. Approve some, or freeze every "
            "valid row that is not rejected."
        ),
    )
    STORAGE = (
        "storage",
        _(
            "The file could not be written: the server's disk may be full. Ask whoever "
            "runs the server, then freeze again."
        ),
    )
    STOPPED = (
        "stopped",
        _(
            "Freezing stopped several times without saying why. Nothing was stored. "
            "Look into the worker's log, then freeze again."
        ),
    )


class FreezeRun(Run):
    """A version in the making."""

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="freeze_runs"
    )
    approved_only = models.BooleanField(_("approved rows only"), default=False)
    note = models.CharField(_("note"), max_length=200, blank=True)
    error = models.CharField(
        _("error"), max_length=20, choices=FreezeFailure, blank=True
    )
    version = models.ForeignKey(
        DatasetVersion, null=True, on_delete=models.CASCADE, related_name="+"
    )

    class Meta(Run.Meta):
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")

    def __str__(self) -> str:
        return f"{self.dataset}: {self.status}"
