"""Examples: the rows that a team writes, reviews and trains on."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.fields import ExactJSONField
from datasets_app.models.datasets import Dataset, Tag
from teams_app.models import TeamScopedQuerySet


class ReviewState(models.TextChoices):
    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Split(models.TextChoices):
    """Which file of a version a row goes to."""

    TRAIN = "train", _("training")
    VALIDATION = "validation", _("validation")


class LiveExamples(models.Manager.from_queryset(TeamScopedQuerySet)):  # type: ignore[misc]
    """Every example that is not in the bin."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at=None)


def _live_index(*fields: str, name: str) -> models.Index:
    """Of one dataset's live rows in an order that a list can go on from."""
    return models.Index(
        fields=("dataset", *fields, "id"),
        condition=models.Q(deleted_at=None),
        name=name,
    )


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
    # Of a DPO row, whose `messages` and `tools` are its input.
    preferred_output: Any = ExactJSONField(_("preferred output"), null=True, blank=True)
    non_preferred_output: Any = ExactJSONField(
        _("non-preferred output"), null=True, blank=True
    )
    extra: Any = ExactJSONField(
        _("further keys"),
        null=True,
        blank=True,
        help_text=_("What else the row's author wrote; graders read it in RFT rows."),
    )
    state = models.CharField(
        _("review state"), max_length=10, choices=ReviewState, default=ReviewState.DRAFT
    )
    split = models.CharField(
        _("split"), max_length=10, choices=Split, default=Split.TRAIN
    )
    is_pinned = models.BooleanField(
        _("pinned"),
        default=False,
        help_text=_("Splitting the dataset anew leaves this row where it is."),
    )
    reject_reason = models.CharField(
        _("reason of rejection"), max_length=500, blank=True
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        db_index=False,  # one of the indexes below begins with it
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("assignee"),
    )
    # Whoever puts a tag on many rows has locked them: PostgreSQL need not look for both
    # ends of every link. One to a row or a tag that is gone meanwhile leads nowhere.
    tags = models.ManyToManyField(
        Tag, blank=True, db_constraint=False, verbose_name=_("tags")
    )

    text = models.TextField(editable=False, blank=True)
    n_tokens = models.PositiveIntegerField(_("tokens"), editable=False, default=0)
    content_hash = models.CharField(_("content hash"), max_length=64, editable=False)
    problems: Any = ExactJSONField(_("problems"), editable=False, default=list)
    is_valid = models.BooleanField(_("valid"), editable=False, default=True)

    n_findings = models.PositiveSmallIntegerField(
        _("findings"), editable=False, default=0
    )

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
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("added by"),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("changed by"),
    )

    # Who wrote the conversation as it is now; None: still as `created_by` added it.
    content_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    # In the bin: no page, count or version knows the row until it is put back.
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = LiveExamples()
    with_deleted = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        ordering = ("dataset", "position", "pk")
        indexes = [
            _live_index(name="example_list"),
            _live_index("position", name="example_order"),
            _live_index("content_hash", name="example_content"),
            _live_index("state", name="example_state"),
            _live_index("n_findings", name="example_findings"),
            _live_index("import_run", name="example_import"),
            models.Index(
                fields=("dataset", "id"),
                condition=models.Q(deleted_at=None, is_valid=False),
                name="example_invalid",
            ),
            models.Index(
                fields=("dataset", "id"),
                condition=models.Q(deleted_at=None, n_findings__gt=0),
                name="example_found",
            ),
            _live_index("n_tokens", name="example_tokens"),
            _live_index("updated_at", name="example_changed"),
            models.Index(
                fields=("assignee", "dataset", "state", "id"),
                condition=models.Q(deleted_at=None, assignee__isnull=False),
                name="example_assignee",
            ),
            models.Index(
                fields=("dataset", "deleted_at", "id"),
                condition=models.Q(deleted_at__isnull=False),
                name="example_bin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} #{self.position}"


class Comment(models.Model):
    """What somebody says about an example, for whoever works on it next."""

    TEAM_PATH = "example__dataset__team"

    example = models.ForeignKey(
        Example, on_delete=models.CASCADE, related_name="comments"
    )
    text = models.TextField(_("comment"), max_length=4_000)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("written by"),
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text[:80]
