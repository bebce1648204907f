"""What was done to examples: every change of each, and the edits of many at once."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.fields import ExactJSONField
from datasets_app.models.datasets import Dataset
from datasets_app.models.runs import Run
from teams_app.models import TeamScopedQuerySet


class BulkKind(models.TextChoices):
    TAG = "tag", _("tag")
    UNTAG = "untag", _("take a tag off")
    STATE = "state", _("review state")
    SPLIT = "split", _("split")
    PIN = "pin", _("pin to its part")
    ASSIGN = "assign", _("assignee")
    WEIGHT = "weight", _("weight of the assistant's messages")
    SYSTEM_PROMPT = "system", _("system prompt")
    REPLACE = "replace", _("find and replace")
    MEND = "mend", _("mend findings")
    RESPLIT = "resplit", _("split anew")
    DELETE = "delete", _("delete")
    RESTORE = "restore", _("put back from the bin")
    PURGE = "purge", _("delete for good")
    UNDO_IMPORT = "unimport", _("undo an import")
    UNDO = "undo", _("undo")


class BulkEdit(Run):
    """One edit of many examples: one step, which `UNDO` takes back as another.

    `selection` is the filter as `Selection` keeps it, or the rows that were ticked;
    `params` is what the kind needs. Rows are done in the order of their keys: those up
    to `last_pk` are, and those beyond `until_pk` came later and are not meant.
    `n_changed` of them differ now from before, `n_invalid` of these have problems.
    """

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="bulk_edits"
    )
    kind = models.CharField(_("edit"), max_length=10, choices=BulkKind)
    params: Any = ExactJSONField(default=dict)
    selection: Any = ExactJSONField(default=dict)
    n_changed = models.PositiveIntegerField(_("rows changed"), default=0)
    n_invalid = models.PositiveIntegerField(default=0, editable=False)
    until_pk = models.PositiveBigIntegerField(default=0, editable=False)
    last_pk = models.PositiveBigIntegerField(default=0, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True)
    undoes = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="undone_by"
    )

    class Meta(Run.Meta):
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.dataset}"


class ExampleRevision(models.Model):
    """One change of one example.

    `changes` maps each field that changed to its values [before, after]; tags are
    lists of names. `example_pk` is no foreign key: history outlives what it tells of.
    """

    TEAM_PATH = "dataset__team"

    # A bulk edit stores thousands of these, and PostgreSQL need not look for what each
    # of them names: the edit's row is locked by whoever stores its revisions, and those
    # of a dataset or a user that is gone meanwhile are nobody's.
    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, db_constraint=False, db_index=False
    )
    example_pk = models.PositiveBigIntegerField(db_index=True)
    bulk_edit = models.ForeignKey(
        BulkEdit,
        null=True,
        db_constraint=False,
        db_index=False,  # the index below begins with it
        on_delete=models.SET_NULL,
        related_name="revisions",
    )
    # The import that put a row of its file in the example's place.
    import_run = models.ForeignKey(
        "ImportRun",
        null=True,
        db_index=False,  # nearly every row has none; see the last index
        on_delete=models.SET_NULL,
        related_name="+",
    )
    changes: Any = ExactJSONField(default=dict)
    created_at = models.DateTimeField(_("when"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        db_constraint=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("who"),
    )

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=("bulk_edit", "example_pk"), name="revision_of_edit"),
            models.Index(
                fields=("import_run", "example_pk"),
                condition=models.Q(import_run__isnull=False),
                name="revision_of_import",
            ),
        ]

    def __str__(self) -> str:
        return f"example {self.example_pk}: {', '.join(self.changes)}"
