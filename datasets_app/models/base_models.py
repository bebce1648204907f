"""What a team knows of the models it trains: how they count, how much they read."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams_app.models import Team, TeamScopedQuerySet


class Encoding(models.TextChoices):
    """Who cuts text into tokens."""

    O200K = "o200k_base", "o200k_base"
    CL100K = "cl100k_base", "cl100k_base"
    OWN = "own", _("the model's own tokenizer and chat template")


class BaseModel(models.Model):
    """A model that can be fine-tuned: a row of a table that the team may edit."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    encoding = models.CharField(
        _("encoding"), max_length=20, choices=Encoding, default=Encoding.O200K
    )
    training_context_tokens = models.PositiveIntegerField(
        _("training context"),
        help_text=_("In tokens. What a row has beyond is cut off at its end."),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    as_of = models.DateField(_("as of"), null=True, blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("base model")
        verbose_name_plural = _("base models")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("team", "name"), name="base_model_once_per_team"
            )
        ]

    def __str__(self) -> str:
        return self.name
