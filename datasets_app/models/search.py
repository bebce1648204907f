"""Which texts the search has yet to learn."""

from django.db import models

from datasets_app.models.datasets import Dataset


class UnindexedText(models.Model):
    """An example whose text is new or has changed since it was put into the index.

    Triggers add these rows, whoever changes the text; a worker takes them off again.
    """

    TEAM_PATH = "dataset__team"

    example_pk = models.PositiveBigIntegerField()
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        verbose_name = "text that is not in the index"
        indexes = [
            models.Index(fields=("dataset", "example_pk"), name="unindexed_texts")
        ]

    def __str__(self) -> str:
        return f"text of example {self.example_pk}"
