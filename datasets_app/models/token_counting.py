"""Counting tokens anew, in a worker: of a dataset's rows, of a version's files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.models.datasets import Dataset
from datasets_app.models.runs import Run
from datasets_app.models.versions import DatasetVersion


class CountRun(Run):
    """Every row of a dataset on its way to the tokens of another base model.

    `counter` is the key of the counter that counts them.
    """

    TEAM_PATH = "dataset__team"

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="count_runs"
    )
    counter = models.CharField(max_length=120)
    last_pk = models.PositiveBigIntegerField(default=0)  # of the rows counted so far

    class Meta(Run.Meta):
        verbose_name = _("count of tokens")
        verbose_name_plural = _("counts of tokens")

    def __str__(self) -> str:
        return f"{self.dataset}: {self.counter}"


class VersionTokens(Run):
    """What a frozen version costs a model: counted once by a worker, then kept.

    Billable are the tokens of the training rows, each cut at the model's context.
    """

    TEAM_PATH = "version__dataset__team"

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="token_counts"
    )
    counter = models.CharField(max_length=120)
    context_tokens = models.PositiveIntegerField(default=0)  # 0: no limit is known
    n_training_tokens = models.PositiveBigIntegerField(default=0)
    n_billable_tokens = models.PositiveBigIntegerField(default=0)
    n_validation_tokens = models.PositiveBigIntegerField(default=0)
    n_beyond = models.PositiveIntegerField(default=0)  # training rows that are cut

    class Meta(Run.Meta):
        verbose_name = _("tokens of a version")
        verbose_name_plural = _("tokens of versions")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "counter", "context_tokens"),
                name="version_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.counter}"
