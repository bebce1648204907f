"""What a team trains on: examples, where they came from, and frozen copies."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

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


class Dataset(models.Model):
    """A team's curated, editable collection of examples."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER, null=True, blank=True, editable=False, on_delete=models.SET_NULL
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
        related_name="examples",
        verbose_name=_("dataset"),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    messages = models.JSONField(_("messages"), default=list)
    tools = models.JSONField(_("tools"), null=True, blank=True)
    parallel_tool_calls = models.BooleanField(null=True, blank=True)
    state = models.CharField(
        _("review state"), max_length=10, choices=ReviewState, default=ReviewState.DRAFT
    )
    split = models.CharField(
        _("split"), max_length=10, choices=Split, default=Split.TRAIN
    )
    tags = models.ManyToManyField(Tag, blank=True, verbose_name=_("tags"))

    text = models.TextField(editable=False, blank=True)
    n_tokens = models.PositiveIntegerField(_("tokens"), editable=False, default=0)
    content_hash = models.CharField(max_length=64, editable=False)
    problems: Any = models.JSONField(_("problems"), editable=False, default=list)
    is_valid = models.BooleanField(_("valid"), editable=False, default=True)

    import_run = models.ForeignKey(
        "ImportRun",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="examples",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.ForeignKey(
        USER, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        ordering = ("dataset", "position", "pk")
        indexes = [
            models.Index(fields=("dataset", "position", "id"), name="example_order"),
            models.Index(fields=("dataset", "content_hash"), name="example_content"),
            models.Index(
                fields=("dataset", "state", "is_valid"), name="example_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} #{self.position}"


class ImportStatus(models.TextChoices):
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")


class ImportRun(models.Model):
    """One file on its way into a dataset, and the report of what became of it."""

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="import_runs"
    )
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/")
    file_name = models.CharField(_("file name"), max_length=255)
    split = models.CharField(
        _("split"), max_length=10, choices=Split, default=Split.TRAIN
    )
    strict = models.BooleanField(_("all or nothing"), default=False)
    status = models.CharField(
        _("status"), max_length=10, choices=ImportStatus, default=ImportStatus.PENDING
    )
    n_bytes = models.PositiveBigIntegerField(default=0)
    n_bytes_read = models.PositiveBigIntegerField(default=0)
    n_read = models.PositiveIntegerField(_("rows read"), default=0)
    n_added = models.PositiveIntegerField(_("added"), default=0)
    n_invalid = models.PositiveIntegerField(_("invalid"), default=0)
    n_duplicate = models.PositiveIntegerField(_("duplicate"), default=0)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.file_name} → {self.dataset}"


class ImportProblem(models.Model):
    """One line that an import left out, why, and the line itself."""

    TEAM_PATH = "import_run__dataset__team"

    import_run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="problems"
    )
    line_number = models.PositiveIntegerField(_("line"))
    message_index = models.PositiveIntegerField(_("message"), null=True)
    code = models.CharField(_("code"), max_length=40)
    params = models.JSONField(default=dict)
    raw = models.TextField(_("the line"), blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        ordering = ("line_number", "pk")

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.code}"


class DatasetVersion(models.Model):
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
    training_file = models.FileField(upload_to="versions/")
    training_sha256 = models.CharField(max_length=64)
    n_training_rows = models.PositiveIntegerField(_("training rows"))
    n_training_tokens = models.PositiveBigIntegerField(_("training tokens"))
    validation_file = models.FileField(upload_to="versions/", blank=True)
    validation_sha256 = models.CharField(max_length=64, blank=True)
    n_validation_rows = models.PositiveIntegerField(_("validation rows"), default=0)
    n_validation_tokens = models.PositiveBigIntegerField(
        _("validation tokens"), default=0
    )
    created_at = models.DateTimeField(_("frozen"), auto_now_add=True)
    created_by = models.ForeignKey(
        USER, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = TeamScopedQuerySet.as_manager()

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


class VersionRow(models.Model):
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

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("version", "split", "line_number"), name="version_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.split} line {self.line_number}"
