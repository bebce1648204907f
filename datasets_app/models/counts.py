"""How many examples there are, known without counting them."""

from django.db import models

from datasets_app.models.datasets import Dataset
from datasets_app.models.examples import ReviewState, Split


class ExampleCount(models.Model):
    """So many more live examples of one dataset, state, split and validity.

    Triggers write these rows in the transaction that changes the examples, whoever
    changes them (`datasets_app.database.counters`); the sum over the rows of a dataset
    is its count. SQLite has one row of a kind; on PostgreSQL every statement adds its
    own, so that nobody waits for another's transaction, and a tick folds them.
    """

    TEAM_PATH = "dataset__team"

    # Triggers go on counting down while a dataset and its examples are being deleted.
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="counts",
    )
    state = models.CharField(max_length=10, choices=ReviewState)
    split = models.CharField(max_length=10, choices=Split)
    is_valid = models.BooleanField()
    n_examples = models.BigIntegerField()
    n_tokens = models.BigIntegerField()

    class Meta:
        verbose_name = "count of examples"

    def __str__(self) -> str:
        return f"{self.n_examples} {self.state} in {self.dataset_id}"
