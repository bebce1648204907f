"""A team's datasets, the words it tags rows with, and the filters it keeps."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.models.base_models import BaseModel
from teams_app.models import Team, TeamScopedQuerySet


class Method(models.TextChoices):
    """What the rows teach: every row of a training file is of the same method."""

    SUPERVISED = "supervised", _("answers to learn (supervised)")
    DPO = "dpo", _("a better and a worse answer (DPO)")
    REINFORCEMENT = "reinforcement", _("answers that a grader scores (RFT)")


class Dataset(models.Model):
    """A team's curated, editable collection of examples."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    method = models.CharField(
        _("method"), max_length=15, choices=Method, default=Method.SUPERVISED
    )
    base_model = models.ForeignKey(
        BaseModel,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        verbose_name=_("base model"),
        help_text=_("Tokens are counted, and lengths checked, for this model."),
    )
    # Key of the counter that the rows' `n_tokens` come from; see services.recounting.
    counted_with = models.CharField(
        max_length=120, default="o200k_base", editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
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

    def clean(self) -> None:
        """One team owns the dataset and its base model."""
        model = self.base_model
        if model is not None and self.team_id and model.team_id != self.team_id:
            raise ValidationError(
                {"base_model": _("This base model belongs to another team.")}
            )


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


class SavedFilter(models.Model):
    """A way to look at examples that a team keeps under a name."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    name = models.CharField(_("name"), max_length=100)
    # As in the address of the list: field names that `Selection` knows, and no others.
    query = models.CharField(max_length=1_000)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("team", "name"), name="saved_filter_once_per_team"
            )
        ]

    def __str__(self) -> str:
        return self.name
