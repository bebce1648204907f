"""What a team trains on: examples, where they came from, and frozen copies."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.chat_format import MINIMUM_ROWS
from datasets_app.fields import ExactJSONField
from datasets_app.frozen import FrozenModel
from teams_app.models import Team, TeamScopedQuerySet

USER = settings.AUTH_USER_MODEL


class ReviewState(models.TextChoices):
    DRAFT = "draft", _("draft")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Split(models.TextChoices):
    """Which file of a version a row goes to."""

    TRAIN = "train", _("training")
    VALIDATION = "validation", _("validation")


def import_path(_run: models.Model, _file_name: str) -> str:
    """A random name: an uploader's file name never becomes a path."""
    return f"imports/{uuid.uuid4().hex}.jsonl"


def version_path(_version: models.Model, _file_name: str) -> str:
    return f"versions/{uuid.uuid4().hex}.jsonl"


class Dataset(models.Model):
    """A team's curated, editable collection of examples."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        verbose_name=_("created by"),
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("team", "name"),
                name="dataset_name_once_per_team",
                violation_error_message=_("The team already has a dataset so named."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word that a team puts on examples to find them again."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    name = models.CharField(_("name"), max_length=50)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("team", "name"), name="tag_once_per_team")
        ]

    def __str__(self) -> str:
        return self.name


class Example(models.Model):
    """One conversation: one line of the training file.

    `text`, `n_tokens`, `content_hash`, `problems` and `is_valid` are derived from the
    conversation whenever it is stored; see services.
    """

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        db_index=False,  # the indexes below begin with it
        related_name="examples",
        verbose_name=_("dataset"),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    messages: Any = ExactJSONField(_("messages"), default=list)
    tools: Any = ExactJSONField(_("tools"), null=True, blank=True)
    parallel_tool_calls = models.BooleanField(
        _("parallel tool calls"), null=True, blank=True
    )
    functions: Any = ExactJSONField(
        _("functions"),
        null=True,
        blank=True,
        help_text=_("The old form of tools; new rows use tools."),
    )
    state = models.CharField(
        _("review state"), max_length=10, choices=ReviewState, default=ReviewState.DRAFT
    )
    split = models.CharField(
        _("split"), max_length=10, choices=Split, default=Split.TRAIN
    )
    tags = models.ManyToManyField(Tag, blank=True, verbose_name=_("tags"))

    text = models.TextField(editable=False, blank=True)
    n_tokens = models.PositiveIntegerField(_("tokens"), editable=False, default=0)
    content_hash = models.CharField(_("content hash"), max_length=64, editable=False)
    problems: Any = ExactJSONField(_("problems"), editable=False, default=list)
    is_valid = models.BooleanField(_("valid"), editable=False, default=True)

    import_run = models.ForeignKey(
        "ImportRun",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="examples",
        verbose_name=_("import"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("added by"),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.ForeignKey(
        USER,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("changed by"),
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        ordering = ("dataset", "position", "pk")
        indexes = [
            models.Index(fields=("dataset", "position", "id"), name="example_order"),
            models.Index(fields=("dataset", "content_hash"), name="example_content"),
            models.Index(fields=("dataset", "state", "is_valid"), name="example_state"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} #{self.position}"


class ImportStatus(models.TextChoices):
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")


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
    STOPPED = (
        "stopped",
        _(
            "The import stopped several times without saying why. The rows counted "
            "here are in the dataset. Look into the worker's log, then import again: "
            "rows that are there already are left out."
        ),
    )


class ImportRun(models.Model):
    """One file on its way into a dataset, and the report of what became of it."""

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
    status = models.CharField(
        _("status"), max_length=10, choices=ImportStatus, default=ImportStatus.PENDING
    )
    n_bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    n_bytes_read = models.PositiveBigIntegerField(_("bytes read"), default=0)
    n_lines_read = models.PositiveIntegerField(_("lines read"), default=0)
    # Of an all-or-nothing import: the first pass is over and found no bad row.
    is_checked = models.BooleanField(default=False, editable=False)
    n_read = models.PositiveIntegerField(_("rows read"), default=0)
    n_added = models.PositiveIntegerField(_("added"), default=0)
    n_invalid = models.PositiveIntegerField(_("invalid"), default=0)
    n_duplicate = models.PositiveIntegerField(_("duplicate"), default=0)
    error = models.CharField(
        _("error"), max_length=20, choices=ImportFailure, blank=True
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    # Names the one process that may go on with the import; see services.imports.
    claim = models.UUIDField(null=True, editable=False)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.file_name} → {self.dataset}"

    @property
    def is_open(self) -> bool:
        return self.status in (ImportStatus.PENDING, ImportStatus.RUNNING)

    @property
    def percent(self) -> int:
        """How far the reading is; the two passes of a strict import count as one."""
        n_bytes, n_read = self.n_bytes, self.n_bytes_read
        if self.strict:
            n_bytes, n_read = 2 * n_bytes, n_read + self.is_checked * n_bytes
        return 100 if not n_bytes else min(100, n_read * 100 // n_bytes)


class ImportProblem(models.Model):
    """What is wrong with a line that an import left out, and the line itself.

    Lines and messages are counted from 1. Of a line with several problems, the first
    carries the line's text.
    """

    TEAM_PATH = "import_run__dataset__team"

    import_run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="problems"
    )
    line_number = models.PositiveIntegerField(_("line"))
    message_index = models.PositiveIntegerField(_("message"), null=True)
    code = models.CharField(_("code"), max_length=40)
    params: Any = ExactJSONField(default=dict)
    raw = models.TextField(_("the line"), blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import problem")
        verbose_name_plural = _("import problems")
        ordering = ("line_number", "pk")

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.code}"


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
        USER,
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
    """Which example stands on which line of a version, and what it said then."""

    TEAM_PATH = "version__dataset__team"

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="rows"
    )
    split = models.CharField(max_length=10, choices=Split)
    line_number = models.PositiveIntegerField()
    example = models.ForeignKey(
        Example, null=True, on_delete=models.SET_NULL, related_name="version_rows"
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

    def __str__(self) -> str:
        return f"{self.version} {self.split} line {self.line_number}"
