"""Files on their way into a dataset, and what became of every line."""

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.fields import ExactJSONField
from datasets_app.models.datasets import Dataset
from datasets_app.models.examples import Example, Split
from datasets_app.models.history import BulkEdit
from datasets_app.models.runs import Run, RunStatus
from teams_app.models import TeamScopedQuerySet


def import_path(_run: models.Model, _file_name: str) -> str:
    """A random name: an uploader's file name never becomes a path."""
    return f"imports/{uuid.uuid4().hex}.jsonl"


class FileFormat(models.TextChoices):
    """How a file holds its rows; recognised from the first ones."""

    CHAT = "chat", _("OpenAI chat JSONL")
    DPO = "dpo", _("preferences (DPO) JSONL")
    RFT = "rft", _("reinforcement (RFT) JSONL")
    PROMPT_COMPLETION = "prompt_completion", _("prompt and completion")
    SHAREGPT = "sharegpt", _("ShareGPT")
    ALPACA = "alpaca", _("Alpaca")
    COLUMNS = "columns", _("JSONL with keys of its own")
    CSV = "csv", "CSV"
    TSV = "tsv", "TSV"
    PARQUET = "parquet", "Parquet"


class OnDuplicate(models.TextChoices):
    """What becomes of a row whose content the dataset holds already."""

    SKIP = "skip", _("leave it out")
    ADD = "add", _("add it once more")
    REPLACE = "replace", _("put it in the old one's place")


class ImportFailure(models.TextChoices):
    """Why an import failed: what happened, and what to do."""

    SOME_INVALID = (
        "some_invalid",
        _(
            "Nothing was added, because some rows are invalid and the import was to "
            "be all or nothing. Mend the lines below, or import without that choice."
        ),
    )
    FILE_GONE = (
        "file_gone",
        _("The uploaded file is gone from the server. Import it again."),
    )
    BAD_FILE = (
        "bad_file",
        _(
            "The file cannot be read to its end; the reason is below. The rows counted "
            "here were added before. Mend the file and import it again: rows that are "
            "there already are left out."
        ),
    )
    OTHER_METHOD = (
        "other_method",
        _(
            "Nothing was added: the dataset has rows of another method by now, and a "
            "training file has one method. Import the file into a dataset of its own."
        ),
    )
    NO_ROOM = (
        "no_room",
        _(
            "The server's disk is full. The rows counted here are in the dataset. "
            "Have room made on the disk, then let the import go on where it stopped."
        ),
    )
    STOPPED = (
        "stopped",
        _(
            "The import stopped several times without saying why. The rows counted "
            "here are in the dataset. Look into the worker's log, then let the import "
            "go on where it stopped."
        ),
    )


class ImportRun(Run):
    """One file on its way into a dataset, and the report of what became of it.

    A draft waits for its uploader to look at the first rows and to choose.
    `n_total` and `n_done` are bytes of the file.
    """

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="import_runs",
        verbose_name=_("dataset"),
    )
    file = models.FileField(_("file"), upload_to=import_path)
    file_name = models.CharField(_("file name"), max_length=255)
    split = models.CharField(
        _("split"), max_length=10, choices=Split, default=Split.TRAIN
    )
    strict = models.BooleanField(_("all or nothing"), default=False)
    format = models.CharField(
        _("format"), max_length=20, choices=FileFormat, default=FileFormat.CHAT
    )
    # Of a table: which column says what, as {"user": "question", …}.
    mapping: Any = ExactJSONField(default=dict, editable=False)
    on_duplicate = models.CharField(
        _("rows the dataset has already"),
        max_length=10,
        choices=OnDuplicate,
        default=OnDuplicate.SKIP,
    )
    n_lines_read = models.PositiveIntegerField(_("lines read"), default=0)
    # Of an all-or-nothing import: the first pass is over and found no bad row.
    is_checked = models.BooleanField(default=False, editable=False)
    n_read = models.PositiveIntegerField(_("rows read"), default=0)
    n_added = models.PositiveIntegerField(_("added"), default=0)
    n_invalid = models.PositiveIntegerField(_("invalid"), default=0)
    n_duplicate = models.PositiveIntegerField(_("duplicate"), default=0)
    n_replaced = models.PositiveIntegerField(_("replaced"), default=0)
    n_mended = models.PositiveIntegerField(_("mended"), default=0)
    error = models.CharField(
        _("error"), max_length=20, choices=ImportFailure, blank=True
    )
    undone_by = models.OneToOneField(
        BulkEdit,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="undone_import",
    )

    class Meta(Run.Meta):
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"{self.file_name} → {self.dataset}"

    def work(self) -> tuple[int, int]:
        """In bytes; the two passes of a strict import count as one."""
        if not self.strict:
            return self.n_done, self.n_total
        return self.n_done + self.is_checked * self.n_total, 2 * self.n_total

    @property
    def has_rows(self) -> bool:
        """Did it change the dataset?"""
        return bool(self.n_added or self.n_replaced or self.n_mended)

    @property
    def may_go_on(self) -> bool:
        """Can the rest of the file still be read?"""
        if self.status == RunStatus.CANCELLED:
            return self.n_done < self.n_total
        mendable = (ImportFailure.NO_ROOM, ImportFailure.STOPPED)
        return self.status == RunStatus.FAILED and self.error in mendable

    @property
    def rows_per_second(self) -> float:
        """0: not known."""
        return self.per_second * self.n_read / self.n_done if self.n_done else 0.0


class ImportProblem(models.Model):
    """What is wrong with a line that an import left out, and the line itself.

    Lines and messages are counted from 1. Of a line with several problems, the first
    carries the line's text.
    """

    TEAM_PATH = "import_run__dataset__team"

    import_run = models.ForeignKey(
        ImportRun,
        on_delete=models.CASCADE,
        db_index=False,  # the index below begins with it
        related_name="problems",
    )
    line_number = models.PositiveIntegerField(_("line"))
    message_index = models.PositiveIntegerField(_("message"), null=True)
    code = models.CharField(_("code"), max_length=40)
    params: Any = ExactJSONField(default=dict)
    raw = models.TextField(_("the line"), blank=True)
    # Where the line begins in the file, in bytes; None where the file holds no lines.
    offset = models.PositiveBigIntegerField(null=True)
    mended = models.ForeignKey(
        Example, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import problem")
        verbose_name_plural = _("import problems")
        ordering = ("pk",)  # and so by line: they are stored as the file is read
        indexes = [models.Index(fields=("import_run", "id"), name="problem_order")]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.code}"


class ImportDuplicate(models.Model):
    """A row of a file that the dataset held already, and which row it equals.

    All are counted, but only the first ones of a file are listed.
    """

    TEAM_PATH = "import_run__dataset__team"

    import_run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="duplicates"
    )
    line_number = models.PositiveIntegerField(_("line"))
    example = models.ForeignKey(
        Example, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("duplicate of an import")
        verbose_name_plural = _("duplicates of an import")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"line {self.line_number} = example {self.example_id}"
